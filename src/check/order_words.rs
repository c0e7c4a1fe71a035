//! The words by which orders to machines are found, in the three languages, in small letters and
//! folded. `*` ends a beginning of words; a phrase is words with blanks between.

/// What ends a message of a chat, or begins one.
pub(super) const MARKERS: &[&str] = &[
    "<|", "|>", "[inst]", "[/inst]", "<<sys>>", "<</sys>>", "<start_of_turn>", "<end_of_turn>",
    "</s>", "<system>", "</system>", "<instruction", "</instruction", "<article", "</article",
    "[system]", "### instruction", "### system", "### response", "```system",
];

/// Who speaks in a chat.
pub(super) const ROLES: &[&str] = &[
    "system", "assistant", "user", "human", "instruction", "instructions", "developer", "sysadmin",
    "система", "ассистент", "пользователь", "инструкция", "инструкции", "системное", "النظام",
    "المستخدم", "المساعد", "تعليمات",
];

/// A clause of its own: that the text is over and something else begins.
pub(super) const END_OF_TEXT: &[&str] = &[
    "end of article", "end of the article", "end of text", "end of the text", "end of document",
    "end of input", "new task", "new instructions", "new instruction", "system override",
    "system message", "system prompt override", "конец статьи", "конец текста", "конец документа",
    "новая задача", "новое задание", "новые инструкции", "новая инструкция", "системное сообщение",
    "نهايه المقال", "نهايه النص", "مهمه جديده", "تعليمات جديده", "رساله النظام", "رساله من النظام",
];

/// What the machine is to do from now on.
pub(super) const NEW_TASK: &[&str] = &[
    "your new task", "your real task", "your task is now", "your only task", "your job is now",
    "твоя новая задача", "ваша новая задача", "твое новое задание", "مهمتك الجديده", "مهمتك الان",
];

/// Says what the machine is to be.
pub(super) const NOW_YOU: &[&str] = &[
    "you are now a", "you are now an", "you are no longer a", "you are no longer an",
    "you are a language model", "you are an ai", "from now on you are a", "from now on you are an",
    "from now on you will answer", "from now on you will only", "from now on you speak",
    "from now on you answer", "ты теперь", "теперь ты", "отныне ты", "ты больше не",
    "с этого момента ты", "انت الان", "من الان فصاعدا انت", "من الان فصاعدا ستكون",
];

/// Verbs that do away with instructions.
pub(super) const DISREGARD: &[&str] = &[
    "ignore", "disregard", "forget", "override", "bypass", "discard", "skip", "игнорируй",
    "игнорируйте", "проигнорируй", "проигнорируйте", "забудь", "забудьте", "отбрось", "отбросьте",
    "отмени", "отмените", "не обращай", "не обращайте", "не выполняй", "не следуй", "пренебреги",
    "تجاهل", "تجاهلوا", "تجاهلي", "انس", "انسي", "انسوا", "لا تتبع", "لا تنفذ", "لا تلتزم",
];

/// What a machine works by.
pub(super) const INSTRUCTIONS: &[&str] = &[
    "instruction", "instructions", "prompt", "prompts", "directive", "directives", "system message",
    "your guidelines", "your rules", "all rules", "safety rules", "инструкци*", "указани*",
    "промпт*", "промт*", "директив*", "свои правила", "все правила", "تعليمات", "التعليمات",
    "توجيهات", "التوجيهات", "البرومبت", "الموجه", "تعليماتك", "توجيهاتك", "جميع القواعد",
    "كل القواعد",
];

/// Words that point back to earlier text.
pub(super) const ABOVE: &[&str] = &[
    "everything above", "all above", "the above", "text above", "all previous", "previous text",
    "previous message*", "previous conversation", "prior conversation", "everything before",
    "everything you", "this article", "the article", "rest of the article", "rest of the text",
    "rest of this", "все предыдущ*", "все выше", "все вышесказанное", "текст выше",
    "предыдущ* текст*", "предыдущ* сообщени*", "предыдущ* разговор*", "вышесказанн*",
    "вышеизложенн*", "эту статью", "остальной текст", "остальную часть", "все что", "كل ما سبق",
    "ما سبق", "النص السابق", "ما ورد اعلاه", "النص اعلاه", "هذا المقال", "باقي المقال",
    "بقيه المقال", "كل ما قيل",
];

/// Whose instructions they are.
pub(super) const TASKS: &[&str] = &[
    "your", "system", "previous", "above", "hidden", "initial", "original", "свои", "свой", "твои",
    "системн*", "исходн*", "скрыт*", "начальн*", "النظام", "الاصليه", "السابقه", "الخفيه",
    "تعليماتك", "توجيهاتك", "اعطيت",
];

/// Verbs of answers.
pub(super) const ANSWERS: &[&str] = &[
    "write", "say", "print", "reply", "respond", "answer", "repeat", "ответь", "ответьте",
    "отвечай", "отвечайте", "напиши", "напишите", "пиши", "пишите", "скажи", "скажите", "выведи",
    "выведите", "повтори", "повторите", "напечатай", "напечатайте", "произнеси", "اكتب", "اكتبوا",
    "قل", "اجب", "اجيبوا", "اطبع", "ردد",
];

/// Verbs that ask for an answer where no other word than these may be in it.
pub(super) const BARE_ANSWERS: &[&str] = &[
    "use", "give", "show", "output", "return", "используй", "дай", "покажи", "استخدم", "اعط", "رد",
];

/// That an answer is to be this and no more.
pub(super) const ALONE: &[&str] = &[
    "only", "just the", "just this", "with only", "with just", "with nothing", "nothing", "exactly",
    "solely", "only the", "only with", "the word", "the words", "the phrase", "with the word",
    "with the words", "with the phrase", "with one word", "with a single", "one word",
    "a single word", "in one word", "только", "лишь", "одно слово", "одним словом", "слово",
    "слова", "фразу", "словом", "ровно", "дословно", "исключительно", "فقط", "كلمه", "عباره",
    "بكلمه", "بعباره", "الكلمه", "العباره", "حرفيا",
];

/// That nothing else is to be in an answer.
pub(super) const NO_OTHER: &[&str] = &[
    "only the word", "only the words", "only the phrase", "only the text", "only this",
    "only one word", "nothing but", "just the word", "только слово", "только фразу",
    "только одно слово", "فقط كلمه", "فقط عباره", "فقط ب*", "بكلمه واحده", "كلمه", "بكلمه",
];

/// After these an order goes on.
pub(super) const AND: &[&str] = &[
    "and", "but", "so", "must", "should", "и", "а", "но", "تماما", "و",
];

/// Forms that no summary has.
pub(super) const FORMS: &[&str] = &[
    "in french", "in german", "in spanish", "in chinese", "in italian", "in japanese", "in english",
    "in russian", "in arabic", "in klingon", "in latin", "in capital letters", "in all caps",
    "as a pirate", "like a pirate", "in base64", "in rhyme", "in verse", "in emoji", "a poem",
    "a haiku", "a limerick", "a song", "a joke", "the word", "a single word", "the system prompt",
    "your instructions", "your prompt", "по французски", "французски", "по немецки", "немецки",
    "по испански", "испански", "по английски", "английски", "по китайски", "китайски", "по русски",
    "на французском", "на немецком", "на английском", "на испанском", "на китайском", "на русском",
    "заглавными буквами", "стихотворение", "стихи", "стихами", "в стихах", "хокку", "песню",
    "анекдот", "بالفرنسيه", "بالالمانيه", "بالانجليزيه", "بالاسبانيه", "بالصينيه", "بالروسيه",
    "باللغه", "قصيده", "شعرا", "نكته", "اغنيه",
];

/// Verbs of making, and what machines are asked to make.
pub(super) const DO: &[&str] = &[
    "write", "compose", "create", "generate", "tell", "sing", "produce", "decode", "translate",
    "execute", "run", "напиши", "напишите", "сочини", "сочините", "придумай", "придумайте", "спой",
    "расскажи", "расскажите", "расшифруй", "расшифруйте", "декодируй", "переведи", "переведите",
    "выполни", "выполните", "اكتب", "انظم", "الف", "احك", "غن", "ترجم", "فك", "نفذ", "شفر",
];

/// What a machine is asked to make of a text.
pub(super) const WORKS: &[&str] = &[
    "poem", "haiku", "limerick", "song", "joke", "verse", "verses", "python", "base64",
    "the following", "this text", "the text", "this article", "the article", "this string",
    "the string", "this command", "the command", "rhyme", "стих*", "поэм*", "хокку", "песн*",
    "анекдот*", "код", "следующ*", "этот текст", "эту статью", "эту строку", "строку",
    "эту команду", "قصيده", "شعرا", "نكته", "اغنيه", "النص التالي", "هذا النص", "الشفره",
    "هذه السلسله",
];

/// Verbs of orders.
pub(super) const VERBS: &[&str] = &[
    "include", "add", "append", "insert", "mention", "end", "begin", "start", "finish", "conclude",
    "close", "open", "replace", "change", "use", "stop", "do not", "don't", "never", "always",
    "reveal", "print", "repeat", "output", "write", "say", "state", "tell", "translate", "follow",
    "obey", "execute", "make", "omit", "produce", "present", "return", "describe", "call",
    "summarize", "summarise", "включи", "включите", "добавь", "добавьте", "вставь", "вставьте",
    "упомяни", "упомяните", "закончи", "закончите", "заверши", "завершите", "начни", "начните",
    "замени", "замените", "измени", "измените", "используй", "используйте", "прекрати",
    "прекратите", "не пиши", "не пишите", "не пересказывай", "не пересказывайте", "не делай",
    "не упоминай", "раскрой", "раскройте", "выведи", "выведите", "повтори", "повторите", "напиши",
    "напишите", "укажи", "укажите", "сообщи", "сообщите", "скажи", "скажите", "следуй", "следуйте",
    "выполни", "выполните", "назови", "вместо", "пропусти", "опусти", "опиши", "اضف", "ادرج",
    "اذكر", "ابدا", "اختم", "اختتم", "استبدل", "استخدم", "توقف", "لا تكتب", "لا تلخص", "لا تذكر",
    "اكشف", "اظهر", "اعرض", "اطبع", "اكتب", "قل", "نفذ", "اتبع", "ضع", "بدلا",
];

/// Verbs of what is put into a text.
pub(super) const APPEND: &[&str] = &[
    "include", "mention", "state", "say", "end with", "begin with", "start with", "finish with",
    "close with", "conclude with", "open with", "contain", "read", "be written", "consist", "carry",
    "call", "recommend", "describe", "be in", "be replaced", "упоминать*", "упомянуть", "содержать",
    "включать", "включить", "заканчиваться", "закончить", "завершаться", "начинаться", "состоять",
    "быть написан*", "говорить*", "сказать", "указать", "указывать*", "рекомендовать", "называть",
    "добавить", "يذكر", "تذكر", "يتضمن", "تتضمن", "ينتهي", "تنتهي", "يبدا", "تبدا", "يحتوي", "يقول",
    "تقول", "يكتب", "تكتب", "يكون", "يختم", "يختتم", "يشير", "ذكر", "اضافه", "كتابه",
];

/// What must be.
pub(super) const MUST: &[&str] = &[
    "must", "should", "shall", "has to", "have to", "is to", "are to", "needs to", "need to",
    "required to", "only", "asked to", "instructed to", "ought to", "is required", "are required",
    "должн*", "должен", "следует", "необходимо", "нужно", "надо", "обязан*", "требуется", "требуем",
    "просим", "просьба", "يجب", "ينبغي", "لا بد", "يتعين", "عليك", "مطلوب", "المطلوب", "يرجي",
    "يلزم",
];

/// Words for a summary.
pub(super) const SUMMARIES: &[&str] = &[
    "summary", "summaries", "summarize", "summarise", "summarizing", "summarising", "summarization",
    "your answer", "your response", "your reply", "your output", "the output", "your headline",
    "your text", "your translation", "any digest", "the digest", "this digest", "any recap",
    "краткое изложение", "изложени*", "пересказ*", "резюме", "краткое содержание",
    "кратком содержании", "краткого содержания", "краткую версию", "выжимк*", "твой ответ",
    "ваш ответ", "своем ответе", "своего ответа", "твоем ответе", "суммаризаци*", "суммируй*",
    "перевод этой", "ملخص", "الملخص", "ملخصك", "ملخصا", "للملخص", "بالملخص", "تلخيص", "التلخيص",
    "تلخيصك", "تلخص", "لخص", "خلاصه", "الخلاصه", "ردك", "اجابتك", "جوابك",
];

/// Machines that read articles.
pub(super) const MACHINES: &[&str] = &[
    "ai", "llm", "llms", "gpt", "chatgpt", "chatbot", "chatbots", "bot", "bots",
    "virtual assistant*", "summarizer", "summariser", "summarizers", "summarisers",
    "language model", "language models", "automated reader*", "automated system*",
    "automatic summar*", "automated summar*", "machine reader*", "ии", "нейросет*", "чат бот*",
    "чатбот*", "бот", "боты", "языковая модель", "языковой модел*", "языковые модели",
    "языковым моделям", "языковых моделей", "искусственный интеллект", "искусственного интеллекта",
    "искусственному интеллекту", "автоматическ* систем*", "الذكاء الاصطناعي", "نموذج لغوي",
    "النموذج اللغوي", "نماذج لغويه", "النماذج اللغويه", "للنماذج اللغويه", "روبوت", "بوت",
    "الانظمه الاليه", "للانظمه الاليه", "نموذج ذكاء",
];

/// What addresses a machine.
pub(super) const ADDRESSES: &[&str] = &[
    "note to ai", "note to any ai", "note to the ai", "note to all ai", "note for ai",
    "note to language models", "note to any language", "note to llms", "note to the summari*",
    "note to summari*", "note to the translator", "note to translator*", "note to the model",
    "note to bots", "note to automat*", "note for automat*", "dear ai", "dear assistant",
    "attention ai", "attention all ai", "attention language models", "hey ai", "hey chatgpt",
    "message to ai", "if you are an ai", "if you are a language", "if you are a bot",
    "if you are a machine", "if you're an ai", "if you are chatgpt", "message for the ai",
    "instructions for ai", "instructions for language", "дорогой ии", "уважаемый ии", "внимание ии",
    "уважаемая нейросеть", "внимание нейросет*", "дорогой ассистент", "уважаемый ассистент",
    "если ты ии", "если вы ии", "если ты нейросеть", "если вы нейросеть", "если ты языковая",
    "если вы языковая", "если ты бот", "если это читает", "для переводчика", "ملاحظه للذكاء",
    "ملاحظه للنموذج", "ملاحظه للنماذج", "ملاحظه للمترجم", "ملاحظه للانظمه", "الي الذكاء",
    "الي نماذج", "الي النموذج", "عزيزي الذكاء", "عزيزي المساعد", "ايها الذكاء", "ايها النموذج",
    "ايها المساعد", "ايها الروبوت", "اذا كنت نموذج*", "اذا كنت ذكاء", "اذا كنت روبوت*",
    "تنبيه للذكاء", "تنبيه للنماذج",
];

/// Imperatives of somebody who plays a part.
pub(super) const PRETEND: &[&str] = &[
    "pretend you", "pretend to be", "pretend that you", "act as if you", "act as a", "act as an",
    "roleplay as", "role play as", "imagine you are a language", "imagine you are an ai",
    "притворись", "притворитесь", "действуй как", "веди себя как", "сыграй роль", "تظاهر بانك",
    "تظاهر انك", "تصرف كانك", "تصرف وكانك", "العب دور", "تقمص دور",
];

/// Verbs that ask a machine to disclose its instructions.
pub(super) const REVEAL: &[&str] = &[
    "reveal", "show", "disclose", "print", "repeat", "output", "quote", "write", "tell", "give",
    "display", "раскрой", "раскройте", "покажи", "покажите", "выведи", "выведите", "повтори",
    "повторите", "напиши", "напишите", "сообщи", "сообщите", "процитируй", "назови", "اكشف", "اظهر",
    "اعرض", "اطبع", "كرر", "اكتب", "اذكر",
];

/// Words after which an imperative may stand.
pub(super) const LEAD_INS: &[&str] = &[
    "please", "then", "instead", "now", "just", "simply", "kindly", "first", "immediately",
    "пожалуйста", "теперь", "затем", "потом", "этого", "просто", "немедленно", "сначала", "فضلك",
    "رجاء", "ذلك", "الان", "ثم", "а", "и", "но", "обязательно", "всегда", "строго", "بل",
];
