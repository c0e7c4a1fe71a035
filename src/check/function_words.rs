//! Words that say nothing by themselves, and those of reports in general, in small letters and folded:
//! a summary may have them whatever its article says.

use crate::language::Language;

pub(super) fn of(language: Language) -> &'static [&'static str] {
    match language {
        Language::English => ENGLISH,
        Language::Russian => RUSSIAN,
        Language::Arabic => ARABIC,
    }
}

const ENGLISH: &[&str] = &[
    "summary", "summarizes", "headline",
    "a", "about", "above", "according", "account", "across", "add", "added", "addition",
    "additionally", "after", "again", "against", "all", "almost", "along", "also", "although", "am",
    "amid", "among", "an", "and", "announce", "announced", "another", "any", "are", "around",
    "article", "as", "aside", "at", "away", "back", "be", "became", "because", "become", "been",
    "before", "began", "being", "below", "between", "both", "but", "by", "called", "came", "can",
    "cannot", "cause", "caused", "claim", "claimed", "come", "could", "day", "days", "despite",
    "did", "discuss", "discusses", "do", "does", "done", "due", "during", "each", "either", "else",
    "even", "event", "ever", "every", "express", "expressed", "few", "finally", "first",
    "following", "for", "from", "further", "gave", "get", "give", "given", "go", "got", "had",
    "has", "have", "he", "held", "her", "here", "hers", "herself", "him", "himself", "his", "how",
    "however", "i", "if", "in", "include", "including", "indicate", "into", "is", "it", "its",
    "itself", "just", "known", "last", "later", "led", "less", "like", "made", "make", "many",
    "may", "me", "mention", "mentioned", "might", "more", "most", "much", "must", "my", "near",
    "never", "new", "news", "next", "no", "nor", "not", "note", "noted", "now", "of", "off", "on",
    "once", "one", "only", "onto", "or", "other", "others", "our", "out", "over", "own", "part",
    "people", "per", "place", "plan", "plans", "question", "rather", "reason", "reasons", "report",
    "reported", "reports", "said", "same", "say", "says", "second", "see", "several", "she",
    "should", "since", "so", "some", "state", "stated", "states", "still", "such", "suggest",
    "take", "taken", "than", "that", "the", "their", "them", "themselves", "then", "there", "these",
    "they", "this", "those", "though", "three", "through", "throughout", "thus", "time", "to",
    "today", "together", "told", "too", "took", "toward", "towards", "two", "under", "until", "up",
    "upon", "us", "use", "used", "various", "very", "via", "was", "way", "we", "well", "went",
    "were", "what", "when", "where", "whether", "which", "while", "who", "whom", "whose", "why",
    "will", "with", "within", "without", "work", "would", "year", "years", "yet", "you", "your",
];

const RUSSIAN: &[&str] = &[
    "а", "без", "более", "больше", "будет", "будут", "будто", "был", "была", "были", "было", "быть",
    "в", "вам", "вас", "ведь", "весь", "во", "вот", "время", "все", "всего", "всех", "вы", "где",
    "года", "году", "год", "лет", "да", "даже", "два", "две", "день", "для", "до", "другие",
    "других", "его", "ее", "ей", "ему", "если", "есть", "еще", "же", "за", "заявил", "заявила",
    "заявили", "здесь", "и", "из", "изза", "или", "им", "имеет", "их", "к", "как", "которая",
    "которое", "которой", "которого", "котором", "которую", "который", "которые", "которых",
    "кратко", "краткий", "краткое", "обзор", "изложение", "кроме", "кто", "ли", "либо", "между",
    "меня", "мне", "могут", "может", "можно", "мы", "на", "над", "например", "нас", "не", "него",
    "нее", "ней", "некоторые", "нет", "ни", "них", "но", "ну", "о", "об", "однако", "он", "она",
    "они", "оно", "от", "отметил", "отметила", "отметили", "очень", "по", "под", "поэтому", "после",
    "потому", "почти", "при", "про", "против", "раз", "рассказал", "рассказала", "с", "сам",
    "самый", "свой", "своей", "своего", "свою", "себе", "себя", "сегодня", "сейчас", "сказал",
    "сказала", "со", "сообщил", "сообщила", "сообщили", "сообщает", "стал", "стала", "стали",
    "стало", "статья", "статье", "статьи", "так", "также", "такие", "такой", "там", "таким",
    "образом", "те", "тем", "теперь", "то", "того", "тоже", "только", "том", "тот", "три", "тут",
    "ты", "у", "уже", "хотя", "чего", "человек", "чем", "через", "что", "чтобы", "чуть", "эта",
    "эти", "этих", "это", "этого", "этой", "этом", "этот", "эту", "я", "является", "являются",
    "около", "среди", "благодаря", "вместе", "связи", "связано", "случае", "новый", "новости",
];

const ARABIC: &[&str] = &[
    "الملخص", "الملخصات", "ملخصات", "تلخيص", "التلخيص", "العنوان",
    "في", "من", "على", "علي", "الى", "الي", "عن", "مع", "هذا", "هذه", "ذلك", "تلك", "التي", "الذي",
    "الذين", "ان", "انه", "انها", "كان", "كانت", "كما", "قد", "لقد", "لا", "لم", "لن", "ما", "ماذا",
    "هو", "هي", "هم", "نحن", "انا", "او", "ثم", "بعد", "قبل", "بين", "حتي", "حيث", "خلال", "عند",
    "عندما", "منذ", "كل", "بعض", "غير", "فيه", "فيها", "منها", "منه", "له", "لها", "لهم", "به",
    "بها", "عليه", "عليها", "اليه", "اليها", "وفقا", "بسبب", "دون", "بدون", "ضد", "حول", "نحو",
    "اكثر", "اقل", "قال", "قالت", "واضاف", "اضاف", "اضافت", "اكد", "اكدت", "اشار", "اشارت", "ذكر",
    "ذكرت", "اعلن", "اعلنت", "يتم", "تم", "تمت", "يكون", "تكون", "يمكن", "يجب", "ايضا", "فقط",
    "جدا", "جميع", "احد", "احدي", "اخري", "اخر", "مثل", "لكن", "اذا", "لان", "بان", "وان", "فان",
    "هناك", "هنا", "الان", "اليوم", "يوم", "عام", "سنه", "المقال", "مقال", "يتحدث", "يتناول",
    "الخبر", "ملخص", "اثناء", "بالاضافه", "اضافه", "كذلك", "بما", "مما", "عدد", "عده", "تحت", "فوق",
    "امام", "لدي", "وهو", "وهي", "وقد", "وكان", "وكانت", "اي", "ليس", "ليست", "كيف", "متي", "اين",
    "واحد", "اثنين", "الاول", "الاولي", "جديد",
];
