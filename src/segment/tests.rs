//! Sentence rules as tables of cases, and what holds for any text.

use std::ops::Range;

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

mod attribution;

use super::{sentences, split_long};
use crate::language::Language::{self, Arabic, English, Russian};

fn parts(text: &str, language: Language) -> Vec<&str> {
    sentences(text, language)
        .into_iter()
        .map(|range| &text[range])
        .collect()
}

/// Cases are written with `|` where a sentence ends.
fn check(language: Language, cases: &[&str]) {
    let mut failures = Vec::new();
    for case in cases {
        let expected: Vec<&str> = case.split('|').map(str::trim).collect();
        let text = case.replace('|', "");
        let found = parts(&text, language);
        if found != expected {
            failures.push(format!("expected {expected:#?}\nfound {found:#?}"));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} cases:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

#[test]
fn english() {
    check(
        English,
        &[
            "One sentence. |Another one! |A third? |Yes.",
            "Mr. Smith met Gen. Abdel Fattah and Prof. L. J. Hartwell on Jan. 5. |They spoke.",
            "Apple Inc. Chief Executive Tim Cook left. |He said so.",
            "It was sold to Pitt, Briggs & Co. |The price was $3.5 million.",
            "He lives in the U.S. and works for the U.S. Government. |He left the U.S. |The rest stayed.",
            "Prices rose 3.5% to $1.2 bn. |They fell later.",
            "At 5 a.m. Mr. Smith woke up.",
            "\"Stop!\" he said. |\"I will not.\" |She left.",
            "\"This bridge is not just steel. |It is how we live,\" she said.",
            "Something lit up… |I shouted.",
            "What I see . . . what I know is . . . I was not there.",
            "He paused ... and went on.",
            "See www.example.com or write to jane.doe@example.com. |Thank you.",
            "It covers 410,000 sq. km. |The next round opens soon.",
            "Who would have thought so?! |Nobody.",
            "The film (directed by J. Doe) won. |It was a surprise.",
            "A headline without a full stop",
            "Article No. 5 applies. |The answer was no. |He left.",
            "He would not say more. |iPhone sales fell. |eBay grew.",
            "He waited... ...and then he left. |It rained... |...The garden was green.",
            "They watched \"Stop! Look! Listen!\" at home. |It was late.",
            "He said \"no.\" |Then he left. |\"Yes\" was her answer.",
            "1.) The first item |2.) The second item",
            "a. The first item |b. The second item |c. The third",
            "• bread |• milk |• salt",
            "He said \"Stop (it).\" |Then he left.",
        ],
    );
}

#[test]
fn russian() {
    check(
        Russian,
        &[
            "В 2010 г. Виктор посетил г. Волгоград. |Потом он уехал.",
            "Сняли «Что? Где? Когда?», «Голос» и \"Стой! Кто идёт?\" за год. |Все видели.",
            "Полно мотивов... |...Сад восстановили недавно.",
            "Завод построили ещё в 1964 г. |Тогда здесь жили 3,7 тыс. человек.",
            "Это обошлось в 41 руб. 80 коп. за кубометр. |Дорого.",
            "А. С. Пушкин и Л.Н. Толстой писали по-русски. |Их читают.",
            "Были яблоки, груши и т. д. |Всё съели.",
            "То есть, т. е. именно так, и т. п. вещи.",
            "«Мы согласны, — сказал он. |— Начнём завтра».",
            "— Куда вы? — спросил он.",
            "«Вы придёте?» — спросила она. |Он молчал…",
            "Он живёт на ул. Ленина, д. 5, кв. 12. |Мы у него были.",
            "В III в. до н. э. здесь был город.",
            "Вот это да! |Неужели? |Конечно.",
            "По данным им. Вавилова и проф. Семёнова, это так.",
            "Он сказал: «Я устал», и замолчал.",
            "«... Но это не всё», — сказал он.",
            "Мне *** на это. |*** |Он ушёл.",
            // What announces a quotation of several sentences belongs to all of it; its speaker is told
            // in the last of them.
            "Он заявил: |«Мы готовы. |Ждём ответа». |Больше он ничего не сказал.",
            "«Мы готовы. |Ждём ответа», — сказал министр. |Ответа нет.",
            "\"Мы готовы. |А вы готовы?\" - спросил он. |Ответа нет.",
            "«Мы готовы. |Ждём ответа», заявил министр. |Ответа нет.",
            "Его роман «Зима», — сказал критик, — лучший.",
        ],
    );
}

#[test]
fn headlines_that_lost_their_line() {
    check(
        Russian,
        &[
            "Мэр открыл новый мост через реку |По словам рабочих, строили его три года.",
            "Мэр открыл новый мост через реку |Если Волга замёрзнет, по нему пойдут трамваи.",
            "Сборная разгромила соперников в Осло |Об этом сообщает пресс-служба.",
            // One clause, whatever has a capital in it.
            "Мэр показал гостям новый мост и Музей воды открыл для них двери.",
            "Вчера президент Франции заявил о реформе.",
            "Он сказал, что на встрече главный инженер Павел Зуев предлагал отложить запуск.",
            "Врачи считают, что витамин С помогает не всем.",
            "Это рассказал нам генерал Томми Франкс составил список.",
        ],
    );
    // By its verb a headline is told before an article only, not before the rest of a sentence.
    let article = "|Строители обещают закончить все работы до начала зимы. ".repeat(10);
    check(
        Russian,
        &[
            &format!("Завод закрыли на ремонт |Рабочие получили отпуск до весны. {article}"),
            &format!("Клуб уступил «Северу» |Тренер объяснил поражение усталостью. {article}"),
            "Завод закрыли на ремонт Рабочие получили отпуск до весны.",
        ],
    );
    check(
        English,
        &["Rivals return to the old harbour |They had been away for years."],
    );
}

#[test]
fn arabic() {
    check(
        Arabic,
        &[
            "وصل الوفد صباح الأحد. |وبدأت المحادثات فورا.",
            "هل تصدق ذلك؟ |لا أحد يعرف!",
            "قال د. سامي العبدلي إن النسبة بلغت 2.6 في المئة. |وأضاف أنها سترتفع.",
            "وقالت: \"لم أكن أحلم بذلك\". |ثم غادرت.",
            "طالب المزارعون بتعويضات؛ فقد خسروا أراضيهم، ولم يتسلموا شيئا.",
            "انتهى الاجتماع.|وبدأ اجتماع آخر.",
            "وقال د\u{202A}.\u{202C} سامي إنه سعيد. |ثم غادر.",
        ],
    );
}

#[test]
fn times_of_day() {
    check(
        English,
        &[
            "The launch is planned for 10 a.m. ET on Monday.",
            "He came at 9 a.m. Sunday morning and left.",
            "He arrived at the pier at 8 p.m. |Sunday was quiet in the harbour.",
            "The train left at 9 a.m. |Nobody was on it.",
            "It was 9 a.m. |The harbour was empty.",
            "The doors open at 7 p.m. Hong Kong time on Friday.",
            "The vote is due at 5 p.m. May 5 in the town hall.",
            "Doors close at 6 p.m. |Moscow has not answered.",
            "At 5 p.m. Smith left.",
            "The talks begin at 5 p.m. Moscow time on Friday.",
            "The polls close at 8 p.m. Sunday in most states.",
            "The debate starts at 9 p.m. Eastern Time and lasts 90 minutes.",
        ],
    );
}

#[test]
fn ellipses_before_capitals() {
    check(
        English,
        &[
            "He went to... Paris, of all places.",
            "He waited... |Nobody came.",
        ],
    );
    check(
        Russian,
        &["Мы едем в... Париж.", "Он ушёл... |Никто не ответил."],
    );
}

#[test]
fn letters_that_are_names() {
    check(
        English,
        &[
            "The team finished second in group B. |Fans celebrated.",
            "Vitamin C. is not his name.",
            "He read J. I. Case and left.",
            "The bridge was built before World War I. |Engineers widened it in 1932.",
        ],
    );
    check(
        Russian,
        &[
            "Школьники учатся в корпусе А. |Новый корпус откроют осенью.",
            "Канал построен при Петре I. |Работы заняли двенадцать лет.",
            "Роман написан А. С. Пушкиным и В. И. Далем.",
            "Пассажиров терминала В попросили выйти.",
            "Автобус идёт от остановки К до остановки М без пересадок.",
            "Пожар начался в доме С на окраине города.",
            "Донорам с кровью В нужно прийти утром.",
        ],
    );
}

#[test]
fn no_space_after_a_full_stop() {
    check(
        English,
        &[
            "The council met on Monday.|The vote was close.",
            "It is built with Node.Js and read.Me files.",
        ],
    );
    check(
        Russian,
        &[
            "Совет собрался.|Заседание длилось час.",
            "Он живёт на ул.Ленина и на пл.Мира.",
        ],
    );
}

#[test]
fn capitals_alone() {
    check(
        English,
        &[
            "THE COUNCIL MET ON MONDAY. |IT VOTED. |MR. SMITH SPOKE IN THE U.S. CAPITAL.",
            "HE LEFT THE U.S. |THE REST STAYED.",
        ],
    );
    check(Russian, &["ПОЖАР В «ИЗВЕСТИЯХ» ПОТУШЕН. |ЖЕРТВ НЕТ."]);
}

#[test]
fn numbers_of_sections_and_items() {
    check(
        English,
        &[
            "1.2. The parties agree. |1.3. The parties leave.",
            "Article 5. Everyone has rights. |Article 6. Nobody is above the law.",
            "1. Bread and milk |2. Salt",
        ],
    );
    check(
        Russian,
        &[
            "Статья 5. Каждый имеет право. |Статья 6. Никто не выше закона.",
            "1.2. Предмет договора. |1.3. Стороны договора.",
            "1) Хлеб и молоко |2) Соль",
            "По ст. 5.1. Налогового кодекса он платит.",
        ],
    );
    check(
        Arabic,
        &[
            "المادة 5. لكل شخص حق. |المادة 6. لا أحد فوق القانون.",
            "١. الخبز والحليب |٢. الملح",
        ],
    );
}

#[test]
fn abbreviations_before_capitals() {
    check(
        English,
        &["They sell fruit (apples, pears, etc.) Tuesday to Friday."],
    );
    check(
        Russian,
        &[
            "В 1990–1995 гг. Иванов работал в порту.",
            "В конце мая 2010 г. Виктор уехал в Липово.",
            "Завод построили в 1964 г. |Рабочие живут рядом.",
            "Ремонт стоит 3 млрд долл. США и 2 млн руб. в год.",
            "Ремонт обошёлся городу в 3 млрд долл. |Мэр доволен.",
            "Город основан в III в. до н. э. |Римляне пришли позже.",
            "До 44 г. до н. э. Цезарь правил один.",
            "В 44 г. до н. э. Цезаря убили.",
            "Плотность 13 чел. / км².",
            "Президент Дж. Рейм прибыл в Липово утром.",
            "Роман написан Дж. Р. Р. Реймом.",
            "Интервью взял Вл. Зуев.",
            "Проект подготовил арх. Тамм, а утвердил его гл. инж. Зуев.",
            "Показали фильм «Степь» (реж. Зуев).",
            "Спектакль поставил нар. арт. России Пётр Зуев.",
            "Буря прошла по шт. Невада и бульв. Мира.",
            "Флотом командовал адм. Зуев, а ротой мл. серж. Тамм.",
        ],
    );
    check(
        Arabic,
        &[
            "اشترى الفواكه (تفاح، موز، إلخ.) من السوق.",
            "باع الخضار والفواكه والخبز إلخ. |وأضاف التاجر أنه متعب.",
            "باع الخضار والفواكه والخبز إلخ. في السوق القديم.",
        ],
    );
}

#[test]
fn headlines_before_a_preposition() {
    check(
        Russian,
        &[
            "Мэр открыл мост через реку |В городе праздник.",
            "Задержан житель Липова |В его доме нашли оружие.",
        ],
    );
}

#[test]
fn line_breaks() {
    check(
        English,
        &[
            "A heading\n\n|A paragraph.\r\n\r\n|Another.",
            "A long line that was broken where it had to be broken\nand goes on here.",
            "We need:\n|- bread,\n|- milk.",
            "1. The first item\n|2. The second item",
        ],
    );
}

#[test]
fn long_sentences_are_parted_at_the_best_place() {
    let fits = |limit: usize| move |piece: &str| piece.chars().count() <= limit;
    let cases: &[(&str, usize, &[&str])] = &[
        ("short", 10, &["short"]),
        ("one two; three four", 12, &["one two;", "three four"]),
        (
            "alpha beta gamma, delta epsilon",
            20,
            &["alpha beta gamma,", "delta epsilon"],
        ),
        ("he came and she left", 12, &["he came", "and she left"]),
        ("مرحبا بكم، أهلا وسهلا", 12, &["مرحبا بكم،", "أهلا وسهلا"]),
        (
            "أعلن وزير النقل اليوم إغلاق الجسر القديم وقال إن العمل يستمر شهرا",
            45,
            &[
                "أعلن وزير النقل اليوم إغلاق الجسر القديم",
                "وقال إن العمل يستمر شهرا",
            ],
        ),
        // `وزارة` is no `و` with a word.
        (
            "زار الوفد مقر وزارة النقل في المدينة",
            30,
            &["زار الوفد مقر وزارة النقل", "في المدينة"],
        ),
        (
            "the old bridge of the town",
            20,
            &["the old bridge", "of the town"],
        ),
        ("abcdefghij", 4, &["abc", "defg", "hij"]),
        ("🇷🇺🇷🇺🇷🇺", 1, &["🇷🇺", "🇷🇺", "🇷🇺"]),
        ("", 4, &[]),
        ("   ", 4, &[]),
    ];
    let mut failures = Vec::new();
    for (text, limit, expected) in cases {
        let found: Vec<&str> = split_long(text, fits(*limit))
            .into_iter()
            .map(|range| &text[range])
            .collect();
        let bad = if *limit == 4 && text.len() == 10 {
            // Where there is no good place, any will do that keeps to the limit.
            found.concat() != *text || found.iter().any(|piece| piece.len() > 4)
        } else {
            found != *expected
        };
        if bad {
            failures.push(format!("{text:?}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Checks that ranges are in order, hold no white space at their ends, and that only white space
/// lies between them.
fn check_cover(text: &str, ranges: &[Range<usize>]) -> Result<(), TestCaseError> {
    let mut at = 0;
    for range in ranges {
        prop_assert!(text[at..range.start].trim().is_empty(), "text is left out");
        let part = &text[range.clone()];
        prop_assert!(!part.is_empty() && part.trim() == part);
        at = range.end;
    }
    prop_assert!(text[at..].trim().is_empty());
    Ok(())
}

/// Text with much of what the rules look at.
fn tricky() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-zа-яА-Яا-ي]{1,8}",
        3 => r#"[.!?…؟۔,;:،؛"'«»()\[\]—–-]{1,4}"#,
        3 => "[ \n\r\t\u{A0}\u{2028}]{1,3}",
        1 => "[0-9]{1,4}",
        1 => "[•*\u{200B}\u{200F}\u{202B}\u{301}\u{0}🇷🇺👩‍🚀]{1,4}",
        1 => Just("т. д.".to_owned()),
        1 => Just("U.S.".to_owned()),
        1 => Just("1. ".to_owned()),
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn sentences_and_gaps_join_to_the_text(text in tricky(), language in prop::sample::select(&Language::ALL[..])) {
        check_cover(&text, &sentences(&text, language))?;
    }

    #[test]
    fn pieces_and_gaps_join_to_the_text(text in tricky(), limit in 1_usize..30) {
        let pieces = split_long(&text, |piece| piece.chars().count() <= limit);
        check_cover(&text, &pieces)?;
        let graphemes: std::collections::HashSet<usize> =
            text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]).collect();
        for range in pieces {
            let piece = &text[range.clone()];
            prop_assert!(piece.chars().count() <= limit || piece.graphemes(true).count() == 1, "{piece:?} is too long");
            let trimmed_at_end = text[range.end..].starts_with(char::is_whitespace);
            let trimmed_at_start = text[..range.start].ends_with(char::is_whitespace);
            prop_assert!(graphemes.contains(&range.end) || trimmed_at_end);
            prop_assert!(graphemes.contains(&range.start) || trimmed_at_start);
        }
    }
}

#[test]
fn a_sentence_may_end_inside_a_word() {
    assert_eq!(parts("aاا.اж.\t0", English), ["aاا.", "اж.", "0"]);
}
