//! Quotations and the words that attribute them, in all orders and marks: each is one sentence.

use super::parts;
use crate::language::Language::{self, Arabic, English, Russian};

/// Checks each sentence alone, and between `before` and `after`.
fn check_whole(language: Language, before: &str, after: &str, sentences: &[&str]) {
    let mut failures = Vec::new();
    for sentence in sentences {
        if parts(sentence, language) != [*sentence] {
            failures.push(format!("alone: {:#?}", parts(sentence, language)));
        }
        let text = format!("{before} {sentence} {after}");
        if parts(&text, language) != [before, *sentence, after] {
            failures.push(format!("among others: {:#?}", parts(&text, language)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn attribution_stays_with_its_quotation_in_english() {
    check_whole(
        English,
        "The day began early.",
        "It was late.",
        &[
            "\"We are ready,\" the minister said.",
            "\"We are ready,\" said the minister.",
            "The minister said: \"We are ready.\"",
            "The minister said, \"We are ready.\"",
            "\"We are ready,\" the minister said, \"and we will not wait.\"",
            "\"Are you ready?\" the reporter asked.",
            "\"Are you ready?\" asked the reporter.",
            "\"Are you ready?\" Marta Ilves asked.",
            "\"Are you ready?\" President Marta Ilves asked reporters.",
            "\"Are you ready?\" Ms. Ilves asked the crew.",
            "\"Stop!\" he shouted.",
            "\"Stop!\" Ilves shouted from the pier.",
            "“We are ready,” the minister said.",
            "“We are ready,” she said, “and nobody will stop us.”",
            "“Where is the ferry?” asked the captain of the port.",
            "“Where is the ferry?” Captain Tamm asked.",
            "“What a night!” Deputy Mayor Olga Reim exclaimed.",
            "The captain asked: “Where is the ferry?”",
            "\"I thought...\" Ilves said, looking away.",
            "\"I thought…\" she said.",
            "\"We are ready\" – the words were written on the wall.",
            "The question \"Who pays?\" was never answered.",
            "He asked \"who pays?\" and left the room.",
            "\"Nobody knows,\" Dr. A. Tamm of the harbour office told the paper, \"where the crane came from.\"",
            "\"It's over,\" he said quietly; the others nodded.",
            "'We are ready,' the minister said.",
            "'Are you ready?' the reporter asked.",
            "\"'We are ready' were his words,\" the minister said.",
            "According to the minister, \"the harbour is safe\".",
            "\"The harbour is safe\" is what the minister said.",
            "\"Is the harbour safe?\" wondered the widow of the pilot.",
            "In a letter to the council, Tamm wrote: \"The pier must close!\"",
            "\"Why?\" said Reim, who has led the port since 2019.",
            "\"The pier is closed!\" John Okafor, a fisherman, told local radio.",
            "\"Will it hold?\" engineer Leo Barth asked.",
            "\"Yes!\" they chanted.",
            "“Yes,” Reim added: “the pier will open in May.”",
            "The sign reads \"Stop! Danger!\" in red letters.",
            "\"We lost 3.5 million,\" said A. J. Reim of Port Co. Ltd.",
            "(“We are ready,” the minister said.)",
        ],
    );
}

#[test]
fn attribution_stays_with_its_quotation_in_russian() {
    check_whole(
        Russian,
        "День начался рано.",
        "Было поздно.",
        &[
            "«Мы готовы», — сказал министр.",
            "«Мы готовы», – сказал министр.",
            "«Мы готовы», - сказал министр.",
            "\"Мы готовы\", — сказал министр.",
            "\"Мы готовы\", - сказал министр.",
            "„Мы готовы“, — сказал министр.",
            "“Мы готовы”, — сказал министр.",
            "«Мы готовы начать работы на всех трёх участках дороги сразу после того, как сойдёт снег», — сказал министр.",
            "«Мы готовы начать работы на всех трёх участках дороги сразу после того, как сойдёт снег», заявил министр.",
            "«Мы готовы, — сказал министр, — и ждать не будем».",
            "«Мы готовы?» — спросил министр.",
            "«Мы готовы!» — воскликнул министр.",
            "«Мы готовы…» — сказал министр.",
            "«Мы готовы...» — сказал министр.",
            "«Мы готовы?!» — закричали рабочие.",
            "Министр сказал: «Мы готовы».",
            "Министр сказал: «Мы готовы!»",
            "Министр сказал: \"Мы готовы\".",
            "Министр спросил: «Вы готовы?» — и вышел из зала.",
            "— Мы готовы, — сказал министр.",
            "— Мы готовы, — сказал он, — и ждать не будем.",
            "— Вы готовы? — спросила она.",
            "— Вы готовы?! — закричал сторож.",
            "– Стойте! – крикнул сторож.",
            "- Мы готовы, - сказал министр.",
            "«Вы готовы?» — Иванов спросил это тихо.",
            "«Вы готовы?» — Мэр Липова спросил это тихо.",
            "«Мост откроют в мае», — говорится в сообщении мэрии.",
            "«Мост откроют в мае», — цитирует его слова агентство «Берег».",
            "По словам мэра, «мост откроют в мае».",
            "Мэр назвал мост «самым нужным», а реку — «самой тихой».",
            "«Мост», по словам мэра, «откроют в мае».",
            "На вопрос «Кто заплатит за ремонт моста?» Иванов не ответил.",
            "В письме под заголовком «Хватит молчать!» Петров просит закрыть порт.",
            "Зрители увидят фильм «Кто там, за рекой?» Марты Рейм.",
            "«Мост закрыт» — такие слова написаны на щите.",
            "Спектакль «Стой! Кто идёт?» поставили в Липове.",
            "«Порт закроют „до весны“», — сказал Дж. Рейм.",
            "«Ремонт обошёлся в 3 млрд долл. США», — уточнил министр.",
            "Мэр (он родился в Липове) сказал: «Мост стоит с 1964 г. и простоит ещё столько же».",
            "«Порт не закроют», — заверил мэр, добавив: «Ни завтра, ни через год».",
        ],
    );
}

#[test]
fn attribution_stays_with_its_quotation_in_arabic() {
    check_whole(
        Arabic,
        "بدأ اليوم مبكرا.",
        "وكان الوقت متأخرا.",
        &[
            "قال الوزير: \"نحن مستعدون\".",
            "قال الوزير: «نحن مستعدون».",
            "قال الوزير إن \"الجسر آمن\".",
            "\"نحن مستعدون\"، قال الوزير.",
            "\"نحن مستعدون،\" قال الوزير.",
            "«نحن مستعدون»، قال الوزير.",
            "«نحن مستعدون»، يقول الوزير للصحفيين.",
            "\"هل أنتم مستعدون؟\" سأل الوزير.",
            "«هل أنتم مستعدون؟» سأل الوزير.",
            "«هل أنتم مستعدون؟»، سأل الوزير.",
            "\"هل أنتم مستعدون؟\" تساءلت الصحفية.",
            "\"توقفوا!\" صاح الحارس.",
            "«توقفوا!» صرخ الحارس من فوق الجسر.",
            "\"لن نعود.\" قال الوزير.",
            "\"لن نعود أبدا.\" أضافت الوزيرة للصحفيين.",
            "“نحن مستعدون”، قال الوزير.",
            "“هل أنتم مستعدون؟” سألت المذيعة.",
            "سأل الوزير: \"هل أنتم مستعدون؟\"",
            "سأل الوزير: «هل أنتم مستعدون؟».",
            "وقال الوزير، \"الجسر آمن\"، ثم غادر القاعة.",
            "وقال: \"الجسر آمن\"، مضيفا: \"سنفتحه في مايو\".",
            "\"الجسر\"، قال الوزير، \"سيفتح في مايو\".",
            "«الجسر آمن»، قال الوزير، «وسيفتح في مايو».",
            "ردد المتظاهرون \"أين حقوقنا؟\" أمام البرلمان.",
            "كتب الصيادون \"أنقذوا الميناء!\" على الجدران.",
            "عرض المهرجان فيلم \"من هناك؟\" للمخرجة سلمى نصار.",
            "ووصف الوزير الجسر بأنه \"آمن\" و\"جميل\".",
            "\"الجسر آمن\" - قال الوزير.",
            "\"هل الجسر آمن؟\" - قال الوزير.",
            "«الجسر آمن» – يقول المهندس.",
            "قال د. سامي نصار: \"الجسر آمن\".",
            "ونقلت الوكالة عن الوزير قوله: \"لن نغلق الميناء\".",
            "ونقلت الوكالة عن الوزير قوله إن «الميناء لن يغلق».",
            "وأضاف الوزير: «لن نغلق الميناء»، مشيرا إلى أن العمل مستمر.",
            "\"لماذا أغلق الميناء؟\" كتب أحد الصيادين على صفحته.",
            "\"إلى متى؟\" علق أحد السكان.",
            "وقال الوزير (وهو من أبناء المدينة): \"الميناء لنا\".",
            "«لا أحد يعلم متى يفتح الجسر»، كما قال الوزير.",
            "\"لا أحد يعلم متى يفتح الجسر\"، بحسب الوزير.",
        ],
    );
}

#[test]
fn a_new_sentence_after_a_quotation_begins() {
    super::check(
        English,
        &[
            "\"Who knows?\" |Nobody answered.",
            "\"Stop!\" |Tamm turned and said nothing.",
            "He asked: \"Who is there?\" |Tamm did not answer.",
            "\"We are ready,\" she said. |\"Are you?\"",
        ],
    );
    super::check(
        Russian,
        &[
            "«Кто там?» |Иванов обернулся.",
            "Он спросил: «Кто там?» |Иванов молчал.",
            "— Куда вы? |— Домой. |— Зачем?",
            "— Мы готовы, — сказал министр. |— Начнём завтра.",
        ],
    );
    super::check(
        Arabic,
        &[
            "سأل: \"من هناك؟\" |وأضاف أنه لا يرى أحدا.",
            "وقالت: \"لم أكن أحلم بذلك.\" |ثم غادرت.",
            "\"لن نعود.\" |قال الوزير إن الجسر آمن.",
        ],
    );
}
