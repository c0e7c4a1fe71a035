//! Knows the lines that stand around an article on a news page and are not part of it.
//!
//! Only short lines are looked at, and each is judged by itself; where it stands is weighed in
//! `clean`. Phrases are those of Arabic, English and Russian news sites, and are general: none is
//! of one site.

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

/// What a line is, where it is no part of the article's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clutter {
    /// Navigation, share buttons, calls to subscribe.
    Furniture,
    /// A part of a dialog that asks for consent.
    Consent,
    /// What names a section of a site, or a number: between paragraphs, it is the article's.
    Section,
    /// The description or the credit of a picture.
    Caption,
    /// A label after which headlines of other articles come.
    Related,
    /// A label after which readers have their say.
    Comments,
    /// The name of the author.
    Byline,
    /// The time of publication.
    Date,
}

/// Lines of more characters than this are never clutter.
const LONGEST: usize = 320;

/// Bytes of the longest paragraph of a dialog that asks for consent.
const LONGEST_CONSENT: usize = 3000;

/// Says what `line` is, where it is clutter.
pub(super) fn classify(line: &str) -> Option<Clutter> {
    if line.len() <= LONGEST_CONSENT && matches_any(&CONSENT, &line.to_lowercase()) {
        return Some(Clutter::Consent);
    }
    if line.len() > LONGEST * 2 {
        return None;
    }
    let words = line.split_whitespace().count();
    if words > 60 {
        return None;
    }
    let lower = line.to_lowercase();
    let lower = lower.trim_matches(|c: char| {
        !c.is_alphanumeric() && !matches!(c, '©' | '@' | '(' | ')' | '[' | ']' | '.' | '!' | '?')
    });
    if lower.is_empty() || !lower.chars().any(char::is_alphanumeric) {
        // `* * *` parts the sections of an article; a stray bullet or bar does not matter either.
        return Some(Clutter::Furniture);
    }
    if words <= 12 && matches_any(&DATE, lower) {
        return Some(Clutter::Date);
    }
    if words <= 14 && matches_any(&BYLINE, lower) && !super::lines::ends_sentence(line) {
        return Some(Clutter::Byline);
    }
    if words <= 12 && matches_any(&RELATED, lower) {
        return Some(Clutter::Related);
    }
    if words <= 6 && matches_any(&COMMENTS, lower) {
        return Some(Clutter::Comments);
    }
    if words <= 60 && matches_any(&CAPTION, lower) {
        return Some(Clutter::Caption);
    }
    let label = lower.trim_end_matches(['.', '!', ':', '?', '…']);
    if (words <= 10 && matches_any(&LABEL, label)) || (words <= 50 && matches_any(&NOTICE, lower)) {
        return Some(Clutter::Furniture);
    }
    (words <= 10 && matches_any(&SECTION, label)).then_some(Clutter::Section)
}

/// Whether a line is of a dialog that asks for consent where one stands directly before it: it speaks of
/// consent, or it is a button.
pub(super) fn goes_on_asking(line: &str) -> bool {
    const MOST_WORDS: usize = 60;
    line.split_whitespace().count() <= MOST_WORDS && matches_any(&ASKING, &line.to_lowercase())
}

fn matches_any(regex: &LazyLock<Option<Regex>>, line: &str) -> bool {
    regex.as_ref().is_some_and(|regex| regex.is_match(line))
}

/// One expression of several alternatives, for lines in lower case.
fn any_of(patterns: &[&str]) -> Option<Regex> {
    let joined = format!("(?:{})", patterns.join("|"));
    let regex = RegexBuilder::new(&joined)
        .size_limit(32 << 20)
        .dfa_size_limit(16 << 20)
        .build();
    debug_assert!(regex.is_ok(), "{regex:?}");
    regex.ok()
}

/// Months in the three languages, as they stand in dates.
const MONTH: &str = "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|январ[яь]|феврал[яь]|марта?|апрел[яь]|ма[яй]|июн[яь]|июл[яь]|августа?|сентябр[яь]|октябр[яь]|ноябр[яь]|декабр[яь]|يناير|فبراير|مارس|[أا]بريل|مايو|يونيو|يوليو|[أا]غسطس|سبتمبر|[أا]كتوبر|نوفمبر|ديسمبر|كانون الثاني|شباط|[آا]ذار|نيسان|[أا]يار|حزيران|تموز|[آا]ب|[أا]يلول|تشرين ال[أا]ول|تشرين الثاني|كانون ال[أا]ول)";

static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let label = r"(?:(?:published|updated|last updated|last modified|posted|first published|опубликовано|обновлено|дата публикации|изменено|نشر في|نُشر في|نشر|تاريخ النشر|آخر تحديث|اخر تحديث|حُدّث|تم التحديث|تم النشر)(?: (?:on|at|at:|في))?\s*[:،,]?\s*)";
    let time = r"(?:\d{1,2}[:.]\d{2}(?::\d{2})?\s*(?:am|pm|a\.m\.|p\.m\.|ص|م|мск|msk|gmt|utc|est|edt|et|bst)?)";
    let day = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье|السبت|الأحد|الاحد|الإثنين|الاثنين|الثلاثاء|الأربعاء|الاربعاء|الخميس|الجمعة|сегодня|today|اليوم)";
    let date = format!(
        r"(?:\d{{1,2}}(?:st|nd|rd|th)?[ .\-/]+{MONTH}(?:\s*/\s*{MONTH})?[ .,،\-/]*(?:\d{{4}})?|{MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?|\d{{1,2}}[./\-]\d{{1,2}}[./\-]\d{{2,4}}|\d{{4}}[./\-]\d{{1,2}}[./\-]\d{{1,2}})"
    );
    let zone = r"(?:\(?(?:am|pm|gmt|utc|est|edt|et|bst|мск|msk|г|года|بتوقيت [^ ]+)[.)+\-\d:]*)";
    let gap = r"[\s,،|•·\-–—/()]*(?:(?:at|в|الساعة|on|of|and)\s+)?";
    any_of(&[
        &format!(
            "^{label}?{gap}(?:{day}{gap})?{date}(?:{gap}(?:{time}|{zone}|{label}|{date}|{day}))*[.\\s]*$"
        ),
        &format!(
            "^{label}?{gap}(?:{day}{gap})?{time}(?:{gap}(?:{time}|{zone}|{date}|{day}))*[.\\s]*$"
        ),
        &format!("^{label}{gap}(?:{day})?[:\\s]*$"),
        r"^\d{1,2} (?:minutes?|hours?|days?|mins?|hrs?|weeks?) ago$",
        r"^(?:\d{1,2} )?(?:минут[уы]?|час(?:а|ов)?|дн(?:я|ей)|день) назад$",
        r"^(?:منذ|قبل) \d{0,2} ?(?:دقيقة|دقائق|ساعة|ساعات|ساعتين|يوم|يومين|أيام)$",
    ])
});

static BYLINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    any_of(&[
        r"^by [^\s].*$",
        r"^(?:story|text|words|reporting|report|reported|written|edited|author|authors|opinion) ?(?:by|:)\s",
        r"^(?:автор|авторы|текст|беседовал|беседовала|подготовил|подготовила|корреспондент|редактор)\s?:",
        r"^(?:автор|авторы)\s",
        r"^(?:بقلم|كتب|كتبت|كتابة|إعداد|اعداد|تحرير|تقرير|المصدر|مراسل)\s?[:/\-–]",
        r"^بقلم ",
        r"^(?:staff (?:writer|reporter)|[^.]{3,40}, (?:staff (?:writer|reporter)|correspondent|reuters|associated press|ap|afp|bbc news|cnn))$",
    ])
});

static RELATED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    any_of(&[
        r"^(?:related(?: (?:articles?|stories|news|content|topics|posts|links|coverage))?|more (?:on this(?: story)?|stories|news|from .{2,40}|like this|about .{2,40})|read (?:more|also|next)|also read|see also|you may (?:also )?like|you might (?:also )?like|recommended(?: (?:for you|stories|articles))?|most (?:read|popular|viewed|shared|commented)|top stories|latest(?: news| stories)?|trending(?: now)?|what to read next|up next|around the web|from the web|sponsored|promoted(?: content)?|more in .{2,30}|don't miss|editors?['’]s? picks?|popular(?: now)?|in this story|in case you missed it|news in pictures|other news|previous article|next article)\s*[:.…»>]*$",
        r"^(?:read (?:more|also|next)|also read|see also|related|more on this|don't miss|watch|listen)\s?[:|»>]\s?.+",
        r"^(?:читайте также|читайте ещё|читайте еще|читать далее|читать также|по теме|материалы по теме|похожие (?:новости|статьи|материалы)|другие новости|другие материалы|ещё по теме|еще по теме|смотрите также|самое (?:читаемое|популярное|важное|интересное)|популярное|популярные новости|рекомендуем|рекомендуемое|последние новости|главные новости|главное|новости партн[её]ров|партн[её]рские материалы|вам может быть интересно|что еще почитать|что ещё почитать|лента новостей|новости по теме|больше новостей|предыдущая новость|следующая новость|новости сми2|сюжет(?:ы)?)\s*[:.…»>]*$",
        r"^(?:читайте также|читайте ещё|читайте еще|по теме|смотрите также|материал по теме|читать(?: подробнее)?)\s?[:|»>]\s?.+",
        r"^(?:اقرأ أيضا|اقرأ أيضًا|اقرأ أيضاً|اقرا ايضا|إقرأ أيضا|إقرأ أيضاً|إقرأ أيضًا|اقرأ المزيد|إقرأ المزيد|المزيد|للمزيد|مواضيع ذات صلة|موضوعات ذات صلة|مقالات ذات صلة|أخبار ذات صلة|اخبار ذات صلة|مواضيع متعلقة|أخبار متعلقة|الأكثر قراءة|الاكثر قراءة|الأكثر مشاهدة|الأكثر شيوعا|آخر الأخبار|اخر الاخبار|أحدث الأخبار|أهم الأخبار|قد يعجبك أيضا|قد يعجبك أيضاً|قد يهمك|قد يهمك أيضا|قد يهمك أيضاً|شاهد أيضا|شاهد أيضاً|اخترنا لك|نرشح لك|المزيد من الأخبار|المزيد حول هذه القصة|موضوعات متعلقة)\s*[:.…»>]*$",
        r"^(?:اقرأ أيضا|اقرأ أيضًا|اقرأ أيضاً|إقرأ أيضا|إقرأ أيضاً|إقرأ أيضًا|اقرأ المزيد|شاهد أيضا|شاهد أيضاً|شاهد)\s?[:|»>]\s?.+",
    ])
});

static COMMENTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    any_of(&[
        r"^(?:\d+ )?comments?(?:\s?[(:]\s?\d+\s?\)?)$|^\d+ comments?$|^(?:comments|leave a (?:comment|reply)|join the (?:conversation|discussion)|post a comment|add (?:a )?comment|readers['’] comments|view comments|show comments|be the first to comment)$",
        r"^(?:\d+ )?комментари(?:й|я|ев|и)(?:\s?[(:]\s?\d+\s?\)?)?$|^(?:оставить|добавить|написать) комментарий$|^(?:обсуждение|комментарии читателей|комментарии к новости|последние комментарии)$",
        r"^(?:\d+ )?(?:التعليقات|تعليقات|تعليق)(?:\s?[(:]\s?\d+\s?\)?)$|^\d+ تعليق(?:ات|ا|اً)?$|^(?:التعليقات|تعليقات|تعليقات القراء|تعليقات الزوار|أضف تعليق(?:ك|ا|اً)?|اضف تعليق|اترك تعليق(?:ا|اً|ك)?|اكتب تعليق(?:ك|ا|اً)?)$",
    ])
});

static CAPTION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let agency = r"(?:ap|afp|reuters|getty(?: images)?|epa(?:-efe)?|efe|dpa|tass|xinhua|sputnik|ria novosti|anadolu|upi|pa|pa wire|pa media|shutterstock|istock|alamy|unsplash|bloomberg|wikimedia commons|nasa|zuma|imago|тасс|риа новости|интерфакс|рейтер|рейтерс|спутник|коммерсант[ъ]?|ап|афп|رويترز|أ ف ب|أ\.ف\.ب|ا ف ب|فرانس برس|الأناضول|الاناضول|د ب أ|أسوشيتد برس|أ ب|إ ب أ|غيتي|سبوتنيك|وكالات)";
    let word = r"(?:file|file photo|file image|photo|photos|image|images|picture|pictured|credit|illustration|screenshot|screengrab|video grab|handout|courtesy|archive|representational image|фото|фото из архива|архив|архивное фото|иллюстрация|скриншот|кадр из видео|видео|источник фото|أرشيف|أرشيفية|ارشيف|صورة|صورة أرشيفية|صورة توضيحية|تصوير|الصورة)";
    any_of(&[
        r"^in this .{0,80}(?:file )?(?:photo|image|picture|photograph)(?-u:\b)|^(?:the )?associated press$",
        r"^(?:©|\(c\)\s|ⓒ|copyright (?:©|\(c\)|\d{4}))",
        &format!(
            r"^(?:image|photo|picture|photograph|video|media|illustration|graphic)s?(?: (?:source|caption|credit|copyright|by|courtesy(?: of)?|shows))?\s?[:|/]|^(?:image|photo) (?:source|caption|credit|copyright|by|courtesy)(?-u:\b)|^{word}\s?[:/|©]"
        ),
        r"^(?:фото|видео|источник|иллюстрация|снимок|фотография|фотографии|автор фото|фото автора|подпись к фото|на фото|на снимке|صورة|الصورة|تصوير|مصدر الصورة|التعليق على الصورة|تعليق الصورة|المصدر|صدر الصورة|فيديو)\s?[:,،/|©]|^(?:image caption|подпись к фото|автор фото|مصدر الصورة|التعليق على الصورة)",
        // `… in the province. (File)`, `… [Photo: J. Doe/AP]`
        &format!(r"[(\[]\s?(?:{word}|(?:{word})\s?[:/|,\-–].{{0,60}})\s?[)\]]\.?$"),
        &format!(r"[(\[][^()\[\]]{{0,60}}[/|]\s?(?:{agency}|{word})(?:[/ ].{{0,30}})?\s?[)\]]\.?$"),
        // `… in Damascus [AFP]`: no full stop before it, as an agency's own dispatch would have.
        &format!(r"[^.!?…؟\s]\s*[\[(]\s?{agency}\s?[)\]]$"),
        &format!(r"^[^.!?]{{2,60}}\s?/\s?{agency}(?:\s?/\s?[^.!?]{{2,40}})?$"),
        &format!(r"^{agency}(?:\s?[/|©]\s?[^.!?]{{2,40}})$"),
        &format!(r"[—–|/]\s?(?:{agency}|{word})(?: (?:photo|file photo))?$"),
        r"(?-u:\b)(?:photo|image|picture|photograph|credit|illustration)s?(?: (?:by|credit|courtesy of))?\s?:\s?.{2,50}$",
    ])
});

static LABEL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    any_of(&[
        // Buttons and navigation: English.
        r"^(?:home(?: ?page)?|menu|search|close|open|skip to (?:main )?content|skip|log ?in|sign ?(?:in|up|out)|log ?out|register|subscribe(?: now)?|my account|account|donate|support us|contact(?: us)?|about(?: us)?|advertis(?:e|ement|ements|ing)(?: with us)?|ad|ads|continue reading(?: below)?|story continues below(?: advertisement)?|article continues below.*|read (?:more|full story|the full story|in app)|show more|load more|view more|see more|more|less|next|previous|prev|back|back to top|top|print|print(?: this)?(?: page| article)?|e-?mail|e-?mail (?:this|article|to a friend)|save|save (?:article|for later)|bookmark|copy(?: link| url)?|link copied|copied|get short url|short url|short link|permalink|share(?: this| on| via| it| now)?(?: (?:article|story|post|page|link|with friends|this article|this story))?|share (?:on|via|to) .{2,20}|tweet|tweet this|retweet|like|pin|pin it|follow(?: us)?(?: on .{2,30})?|facebook|twitter|x|instagram|telegram|whatsapp|youtube|linkedin|reddit|pinterest|tumblr|vkontakte|vk|ok|viber|messenger|tiktok|flipboard|google news|google\+|rss|feed|newsletters?|podcasts?|videos?|photos?|gallery|galleries|photo gallery|pictures|live|live tv|watch live|listen(?: live| now)?(?: to (?:this )?(?:article|story))?|play|pause|play video|watch|watch now|on air|radio|comments?|\d+ comments?|leave a (?:comment|reply)|add (?:a )?comment|post a comment|join the (?:conversation|discussion)|view comments|show comments|hide comments|no comments|be the first to comment|discussion|community (?:standards|guidelines)(?: ?discussion)?|comment(?:ing)? (?:policy|guidelines|via .{2,30})(?: ?comment via .{2,30})*|reply|report|report (?:abuse|an error|a typo)|tags?|topics?|topic tags|keywords|categor(?:y|ies)|sections?|filed under|terms(?: of (?:use|service))?|privacy(?: policy)?|cookies?(?: policy)?|legal|faq|help|careers|jobs|sitemap|site map|all rights reserved|accept(?: all)?(?: cookies)?|reject all|manage (?:cookies|preferences)|ok,? got it|got it|allow notifications|enable notifications|not now|dismiss|editions?|font size|text size|a a a|aa|\d+ min(?:ute)?s? read|reading time.{0,20}|estimated reading time.{0,20}|\d+ (?:views?|shares?|likes|reads)|views?|shares?|likes?|loading|please wait|download(?: our)? app|get the app|install app|follow|unfollow|following|quiz|crossword|games|horoscopes?|shop|store|deals|coupons|obituaries|classifieds|e-?paper|archives?|image|photo|caption|transcript|infographics?|multimedia|interactive|in pictures|in depth|in-depth|explainer|fact check|press release|advertorial|sponsored(?: content)?|promoted|partner content|english|arabic|russian|languages?|switch to .{2,20}|dark mode|light mode)$",
        r"^(?:share|tweet|post|like|email|print|comment|save|facebook|twitter|x|telegram|whatsapp|vk|linkedin|reddit|pinterest|copy link|link|instagram|viber|messenger|more|youtube|rss)(?:(?:\s|[|,/•·])+(?:share|tweet|post|like|email|print|comment|comments|save|facebook|twitter|x|telegram|whatsapp|vk|linkedin|reddit|pinterest|copy link|link|instagram|viber|messenger|more|youtube|rss|\d+))+$",
        r"^(?:share|tweet|send|print|email|comment|follow|subscribe|listen|watch|join|download|install)(?: .{1,30})? (?:facebook|twitter|telegram|whatsapp|instagram|youtube|linkedin|newsletter|google news|app|apple podcasts|spotify)(?: .{1,20})?$",
        r"^(?:comment|comments|комментировать|комментарии|تعليق) (?:via|через|عبر) ?.{2,20}$",
        r"^(?:comment via|share via|share on|login with|sign in with) .*$",
        r"^(?:home|главная|الرئيسية)\s?[>»/›|].*$",
        r"^[^.!?]{2,30}(?:\s?[>»›|]\s?[^.!?>»›|]{2,30}){2,}$",
        r"^@\w+$|^#\S+(?:\s#\S+)*$|^\S+@\S+\.\w+$",
        // Russian.
        r"^(?:главная(?: страница)?|меню|поиск|закрыть|открыть|войти|вход|выйти|регистрация|зарегистрироваться|подписаться(?: на .{2,40})?|подписка|отписаться|подпишитесь(?: на .{2,40})?|реклама|на правах рекламы|18\+|16\+|12\+|6\+|0\+|показать ещ[её]|показать больше|загрузить ещ[её]|ещ[её]|далее|назад|наверх|вверх|читать(?: полностью| дальше)?|развернуть|свернуть|версия для печати|распечатать|печать|отправить(?: другу| по почте)?|сохранить|в закладки|добавить в закладки|скопировать(?: ссылку)?|ссылка скопирована|короткая ссылка|получить короткую ссылку|поделиться(?: .{2,40})?|рассказать друзьям|твитнуть|нравится|мне нравится|лайк|вконтакте|вк|одноклассники|ок|фейсбук|твиттер|телеграм|телеграмм|телеграм-канал|ватсап|вайбер|ютуб|дзен|яндекс\.?дзен|мы в .{2,30}|следите за .{2,60}|читайте нас .{2,40}|наш(?:и)? (?:канал|telegram|телеграм).{0,30}|рассылка|подкасты?|видео|фото|фоторепортаж|фотогалерея|галерея|инфографика|прямой эфир|эфир|слушать(?: онлайн| новость)?|смотреть(?: онлайн)?|радио|комментарии|\d+ комментари(?:й|я|ев)|комментариев нет|нет комментариев|оставить комментарий|добавить комментарий|написать комментарий|комментировать|обсудить|обсуждение|обсуждение новости|правила (?:комментирования|общения|сайта|модерации)|ответить|пожаловаться|сообщить об ошибке|теги|метки|темы|тема|ключевые слова|рубрика|рубрики|разделы?|категори[ия]|пользовательское соглашение|политика конфиденциальности|cookie|контакты|о нас|о проекте|о сайте|об издании|редакция|рекламодателям|вакансии|карта сайта|помощь|все права защищены|принять(?: все)?|понятно|разрешить|отклонить|срочно|молния|эксклюзив|лента|все новости|статьи|блоги|архив|спецпроекты?|мультимедиа|размер шрифта|время чтения.{0,20}|\d+ мин(?:ут[аы]?)?(?: на чтение| чтения)?|просмотр(?:ов|ы|а)?|\d+ просмотр(?:ов|а)?|скачать приложение|загрузка|версия для слабовидящих|войти через .{2,30}|комментировать через .{2,30})$",
        // Arabic.
        r"^(?:الرئيسية|الصفحة الرئيسية|القائمة|بحث|البحث|إغلاق|اغلاق|فتح|تسجيل الدخول|دخول|تسجيل|تسجيل الخروج|اشترك(?: الآن)?|اشتراك|إعلان|اعلان|إعلانات|اعلانات|المزيد|عرض المزيد|تحميل المزيد|أكثر|التالي|السابق|رجوع|العودة|إلى الأعلى|للأعلى|طباعة|اطبع|إرسال|ارسال|أرسل|بريد إلكتروني|البريد الإلكتروني|حفظ|نسخ(?: الرابط)?|تم نسخ الرابط|رابط مختصر|الرابط المختصر|مشاركة|شارك|شارك(?:ها|ه|نا)?(?: .{2,30})?|مشاركة(?: .{2,30})?|غرد|تغريد|تغريدة|إعجاب|اعجاب|تابعنا(?: .{2,40})?|تابع(?: .{2,30})?|تابعونا(?: .{2,40})?|فيسبوك|تويتر|إكس|تلغرام|تليغرام|تيليجرام|تليجرام|واتساب|واتس آب|واتس اب|انستغرام|إنستغرام|انستجرام|يوتيوب|لينكد إن|لينكدإن|تيك توك|سناب شات|ماسنجر|النشرة البريدية|النشرة الإخبارية|بودكاست|فيديو|فيديوهات|صور|بالصور|بالفيديو|معرض الصور|ألبوم|إنفوغراف|انفوجرافيك|إنفوجرافيك|بث مباشر|البث المباشر|البث الحي|مباشر|استمع|استمع للمقال|استماع|شاهد|مشاهدة|إذاعة|راديو|تعليق|تعليقات|التعليقات|\d+ تعليق(?:ات)?|لا توجد تعليقات|أضف تعليق(?:ك|ا|اً)?|اضف تعليق|اكتب تعليق(?:ك|ا|اً)?|اترك تعليق(?:ا|اً|ك)?|علق|رد|الرد|إبلاغ|الإبلاغ عن خطأ|وسوم|الوسوم|كلمات مفتاحية|كلمات دلالية|الكلمات الدلالية|الكلمات المفتاحية|تاجات|أقسام|الأقسام|التصنيفات|التصنيف|شروط الاستخدام|سياسة الخصوصية|اتصل بنا|من نحن|عن الموقع|وظائف|خريطة الموقع|مساعدة|جميع الحقوق محفوظة|موافق|قبول|أوافق|رفض|عاجل|حصري|حصريا|مدونات|كاريكاتير|أرشيف|الأرشيف|ملفات|برامج|حجم الخط|مدة القراءة.{0,20}|\d+ (?:دقائق|دقيقة) (?:للقراءة|قراءة)|\d+ مشاهدات?|مشاهدات|تحميل التطبيق|حمل التطبيق|جار التحميل|جاري التحميل|الوضع الليلي|تكبير الخط|تصغير الخط|قراءة|اقرأ)$",
    ])
});

/// Names of the sections of a site, and bare numbers: also what items, cells and headings of articles
/// say.
static SECTION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    any_of(&[
        r"^[\d\s.,:/kкm+%-]+$",
        r"^https?://\S+$|^www\.\S+$",
        r"^(?:weather|breaking(?: news)?|exclusive|opinion|analysis|world|world news|business|politics|sports?|technology|tech|science|health|culture|entertainment|lifestyle|travel|education|economy|environment|climate|arts?|books|style|food|local|national|international|us|u\.s|uk|europe|asia|africa|americas?|latin america|middle east|russia|features?|editorial|blogs?|news)$",
        r"^(?:мнения?|аналитика|анализ|в мире|мир|россия|политика|экономика|бизнес|общество|спорт|культура|наука|технологии|здоровье|медицина|происшествия|армия|регионы|москва|недвижимость|авто|туризм|путешествия|образование|религия|интервью|репортаж|новости|ближний восток|европа|азия|америка|африка|сша|украина|погода)$",
        r"^(?:رأي|آراء|الرأي|مقالات|تحليل|تحليلات|العالم|عالم|دولي|أخبار|الأخبار|أخبار العالم|أخبار عربية|عربي|عربي ودولي|عربي وعالمي|الشرق الأوسط|سياسة|سياسي|اقتصاد|الاقتصاد|مال وأعمال|أعمال|رياضة|الرياضة|ثقافة|ثقافة وفنون|فن|فنون|منوعات|علوم|تكنولوجيا|علوم وتكنولوجيا|صحة|الصحة|مجتمع|سفر|تعليم|محليات|محلي|حوادث|تقارير|تقارير وتحقيقات|تحقيقات|الطقس)$",
    ])
});

/// What dialogs say that ask for consent: the wording of the IAB's framework, which is the same on all
/// pages, and that of common vendors.
static CONSENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    any_of(&[
        r"(?-u:\b)we (?:value|respect|care about) your privacy(?-u:\b)|(?-u:\b)(?:our|its|\d+) (?:\w+ ){0,3}partners .{0,80}(?:store|access|process|use|personal data|cookies|device)|(?:store|storing) and/?(?:or)? access(?:ing)? .{0,40}on (?:a|your) device|precise geolocation|actively scan device|device (?:scanning|characteristics)|legitimate interests?(?-u:\b).{0,200}(?:consent|partners|vendors|purpose|data)|(?:consent|partners|vendors|purposes).{0,200}legitimate interest|personali[sz]ed (?:ads|advertising) and content|audience research and services development|(?:manage|change|withdraw|update) (?:your )?(?:consent|cookie|privacy) (?:preferences|settings|choices|choice)|(?:accept|reject|allow) (?:all )?(?:non-essential )?cookies|strictly necessary cookies|(?:these|this|our|use of|using|uses) cookies|cookies? (?:are|and similar|help|to (?:improve|personali))|your personal data will be processed|privacy preference cent(?:er|re)|vendors? list|iab (?:vendors?|tcf)",
        r"мы ценим вашу конфиденциальность|мы (?:и наши|используем) (?:партн[её]ры|файлы cookie|cookie)|наши партн[её]ры .{0,80}(?:храни|данны|cookie|устройств)|хран(?:им|ить|ение) .{0,60}(?:доступ|информац).{0,60}устройств|точн(?:ые|ых) данн(?:ые|ых) о (?:местоположении|геолокации)|законн(?:ый|ого|ых|ые) интерес.{0,120}(?:данн|соглас|партн)|обрабат(?:ывать|ываем|ываются) (?:ваши )?персональны|персонализированн(?:ая|ой|ую|ые) реклам|настройк(?:и|ами) (?:cookie|файлов cookie|конфиденциальности)|принять все cookie|использу(?:ем|ет|ют) (?:файлы )?cookie",
        r"نحن نقدر خصوصيتك|نحن وشركا(?:ؤنا|ئنا)|شركا(?:ؤنا|ئنا|ءنا) .{0,80}(?:تخزين|نخزن|معلومات|بيانات|ملفات)|تخزين .{0,40}(?:الوصول|معلومات) .{0,60}(?:الجهاز|جهاز)|بيانات الموقع الجغرافي الدقيقة|المصلحة المشروعة|معالجة (?:البيانات|بياناتك) الشخصية|إعلانات ومحتوى مخصص|إعدادات (?:ملفات تعريف الارتباط|الخصوصية)|(?:نستخدم|يستخدم) .{0,30}ملفات تعريف الارتباط",
    ])
});

/// What dialogs that ask for consent say besides, and their buttons.
static ASKING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    any_of(&[
        r"(?-u:\b)you(?:r)? .{0,60}(?-u:\b)(?:consent|preferences|privacy choices)(?-u:\b)|(?-u:\b)(?:privacy|cookie) (?:policy|settings|notice|cent(?:er|re))(?-u:\b)",
        r"^(?:i |accept (?:and|&) |yes,? )?(?:agree|accept|consent|continue|close|got it|ok|okay)(?: (?:all|to all|and close|and continue|cookies))?$|^(?:i )?(?:reject|decline|disagree|refuse|do not (?:consent|agree))(?: all)?$|^(?:more|manage|other|cookie|show) (?:options|settings|preferences|choices|details|purposes)$|^(?:learn more|customi[sz]e|confirm (?:my )?choices|save (?:and|&) exit|partners|vendors|purposes)$",
        r"(?:ваше|вашего|вы) .{0,60}согласи|^(?:я )?(?:соглас(?:ен|на|иться)|принять|принимаю|принять и закрыть|отклонить(?: все)?|отказаться|не соглас(?:ен|на)|больше (?:вариантов|параметров)|другие (?:варианты|параметры)|настроить|настройки|подробнее|управление (?:параметрами|настройками)|продолжить|понятно|закрыть)$",
        r"موافقتك|^(?:أوافق|موافق|قبول|قبول الكل|أقبل|رفض|رفض الكل|لا أوافق|خيارات أخرى|المزيد من الخيارات|إدارة الخيارات|إدارة التفضيلات|الإعدادات|متابعة|إغلاق)$",
    ])
});

/// Longer lines: calls to subscribe, legal notices, questions about cookies.
static NOTICE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    any_of(&[
        r"^(?:sign up|subscribe|register|join (?:us|our)|follow us|download (?:our|the)|get (?:the|our|all|breaking|more)|click here|tap here|stay (?:informed|up to date|tuned|connected)|want more|like what you|support (?:our|independent|quality)|become a (?:member|subscriber|supporter)|never miss|receive (?:our|the|daily)|enter your e-?mail)(?-u:\b).{0,160}(?-u:\b)(?:newsletter|newsletters|e-?mails?|inbox|app|telegram|facebook|twitter|instagram|youtube|whatsapp|channel|subscri(?:be|ption|ber)|alerts?|notifications?|updates|journalism|google news|podcast|account|here|offers?)(?-u:\b)",
        r"(?-u:\b)contributed to this (?:report|story|article)\.?$|^(?:additional )?(?:reporting|writing|editing) (?:by|from) .{2,240}$|^this is a (?:breaking|developing)(?: news?)? story(?-u:\b).{0,60}$|^follow .{2,80} on (?:facebook|twitter|x|instagram|telegram)(?-u:\b)|we['’]d like to hear what you think|^advertisement\s*[·|•-]|scroll to continue",
        r"(?-u:\b)(?:all rights reserved|we use cookies|this (?:web)?site uses cookies|uses cookies to|cookie policy|privacy policy|terms of (?:use|service)|by signing up|by subscribing|you agree to (?:our|the)|may not be (?:published|reproduced|republished)|enable javascript|javascript is (?:disabled|required)|your browser (?:does not|doesn['’]t) support|ad ?blocker|unsubscribe at any time|this article (?:was originally|first|originally) (?:published|appeared)|log in or (?:register|sign up)|please (?:log in|sign in|register|subscribe|enable)|you must be (?:logged|signed) in|already a (?:subscriber|member)|do not necessarily (?:reflect|represent)|opinions expressed (?:in this|are|by)|views expressed (?:in this|are|by)|to (?:leave|post|add) a comment|your e-?mail address will not be published|required fields are marked|thank you for (?:reading|subscribing)|have a (?:news )?tip\?|got a (?:news )?tip\?|send (?:us )?(?:your )?tips to)(?-u:\b)",
        r"(?:все права защищены|использует(?:ся)? (?:файлы )?cookie|использу(?:ем|ет) (?:файлы )?cookie|файлов cookie|файлы cookie|политик[аеуой]+ конфиденциальности|пользовательск(?:ое|им|ого) соглашени|перепечатка материалов|использование материалов|при цитировании|при использовании материалов|свидетельство о регистрации|зарегистрирован[ао]? (?:федеральной|роскомнадзор)|мнение (?:автора|редакции) может не совпадать|подпис(?:ывайтесь|аться|ывайся|итесь) на|следите за (?:нашими )?новостями|читайте (?:нас|нашу|наш|наши) в|читайте новости|присоединяйтесь к|вступайте в|нашли (?:ошибку|опечатку)|заметили (?:ошибку|опечатку)|выделите (?:е[её]|текст|фрагмент)|ctrl ?\+ ?enter|чтобы оставить комментарий|авторизуйтесь|войдите на сайт|зарегистрируйтесь|быть в курсе|будьте в курсе|новости в (?:телеграм|telegram)|наш(?:ем|его)? (?:telegram|телеграм)|поддержите (?:нас|редакцию)|признан[аоы]? .{0,40}иностранн(?:ым|ыми|ой) агент)",
        r"(?:جميع الحقوق محفوظة|حقوق النشر|ملفات تعريف الارتباط|سياسة الخصوصية|شروط الاستخدام|اشترك(?:وا)? (?:في|معنا|الآن|بالنشرة|مجانا|ب)|تابعوا? (?:آخر|أحدث|أخبار|قناتنا|صفحتنا|حسابنا|كل)|تابعونا على|تابعنا على|تابع .{0,20}على (?:غوغل|جوجل|google|تلغرام|تليغرام|واتساب)|انضموا? إلى|حمّ?لوا? (?:تطبيق|التطبيق)|النشرة البريدية|نشرتنا|لن يتم نشر عنوان بريدك|الحقول الإلزامية|يجب تسجيل الدخول|سجل(?:وا)? الدخول|لا تعبر (?:بالضرورة )?عن|الآراء الواردة|لمتابعة آخر|لمتابعة أحدث|لمزيد من الأخبار|اضغط هنا|انقر هنا|المتصفح لا يدعم)",
    ])
});
