//! Languages told from each other, by sentences written for the purpose.

use super::{Detection, Language, ScriptProfile};

#[test]
fn tells_languages_apart() {
    let cases: &[(&str, Result<Language, &str>)] = &[
        (
            "The council approved the budget on Monday.",
            Ok(Language::English),
        ),
        (
            "Совет утвердил бюджет в понедельник, и это никого не удивило.",
            Ok(Language::Russian),
        ),
        (
            "وافق المجلس على الميزانية يوم الاثنين بعد نقاش طويل.",
            Ok(Language::Arabic),
        ),
        (
            "Рада затвердила бюджет у понеділок, і це нікого не здивувало.",
            Err("Ukrainian"),
        ),
        (
            "Съветът одобри бюджета в понеделник и това не изненада никого.",
            Err("Bulgarian"),
        ),
        (
            "Кеңес бюджетті дүйсенбі күні бекітті, бұл ешкімді таң қалдырмады.",
            Err("Kazakh"),
        ),
        (
            "Савет зацвердзіў бюджэт у панядзелак, і гэта нікога не здзівіла.",
            Err("Belarusian"),
        ),
        (
            "Веће је усвојило буџет у понедељак и то никога није изненадило.",
            Err("Serbian"),
        ),
        (
            "شورا بودجه را روز دوشنبه تصویب کرد و این کسی را شگفت‌زده نکرد.",
            Err("Persian"),
        ),
        (
            "کونسل نے پیر کے روز بجٹ کی منظوری دی اور اس پر کسی کو حیرت نہیں ہوئی۔",
            Err("Urdu"),
        ),
        (
            "Le conseil a approuvé le budget lundi, et cela n'a surpris personne.",
            Err("French"),
        ),
        (
            "Der Rat hat den Haushalt am Montag gebilligt, was niemanden überraschte.",
            Err("German"),
        ),
        (
            "El consejo aprobó el presupuesto el lunes y eso no sorprendió a nadie.",
            Err("Spanish"),
        ),
        (
            "Meclis bütçeyi pazartesi günü onayladı ve bu kimseyi şaşırtmadı.",
            Err("Turkish"),
        ),
        ("המועצה אישרה את התקציב ביום שני.", Err("Hebrew")),
        (
            "د ښار شورا بودیجه د دوشنبې په ورځ تصویب کړه او هېڅوک حیران نه شول.",
            Err("Pashto"),
        ),
        (
            "ئەنجوومەن بودجەکەی ڕۆژی دووشەممە پەسەند کرد و کەس سەری سوڕ نەما.",
            Err("Kurdish"),
        ),
        (
            "Советот го усвои буџетот во понеделникот и тоа никого не изненади.",
            Err("Macedonian"),
        ),
        (
            "Шӯро буҷетро рӯзи душанбе тасдиқ кард ва ин касеро ҳайрон накард.",
            Err("Tajik"),
        ),
        (
            "Кеңеш бюджетти дүйшөмбү күнү бекитти жана бул эч кимди таң калтырган жок.",
            Err("Kyrgyz"),
        ),
        (
            "Шура бюджетны дүшәмбе көнне раслады, һәм бу беркемне дә гаҗәпләндермәде.",
            Err("Tatar"),
        ),
        (
            "Кенгаш бюджетни душанба куни тасдиқлади ва бу ҳеч кимни ҳайратга солмади.",
            Err("Uzbek"),
        ),
        (
            "Зөвлөл төсвийг даваа гаригт баталсан нь хэнийг ч гайхшруулсангүй.",
            Err("Mongolian"),
        ),
        (
            "O conselho aprovou o orçamento na segunda-feira, e isso não surpreendeu ninguém.",
            Err("Portuguese"),
        ),
        (
            "Il consiglio ha approvato il bilancio lunedì e questo non ha sorpreso nessuno.",
            Err("Italian"),
        ),
        (
            "Rada zatwierdziła budżet w poniedziałek i nikogo to nie zdziwiło.",
            Err("Polish"),
        ),
        (
            "Dewan menyetujui anggaran pada hari Senin dan itu tidak mengejutkan siapa pun.",
            Err("Indonesian"),
        ),
        (
            "Rådet godkände budgeten i måndags och det förvånade ingen.",
            Err("Swedish"),
        ),
        // Headlines have few of the commonest words.
        ("Council approves budget", Ok(Language::English)),
        ("Aldous meets Okafor in Port Marlow", Ok(Language::English)),
        ("Совет утвердил бюджет", Ok(Language::Russian)),
        ("المجلس يقر الميزانية", Ok(Language::Arabic)),
    ];
    let mut failures = Vec::new();
    for (text, expected) in cases {
        let found = Detection::of(text);
        let result = found.language.ok_or(found.looks_like.unwrap_or("nothing"));
        if result != *expected || !(0.0..=1.0).contains(&found.confidence) {
            failures.push(format!("{text}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn names_addresses_and_hashtags_of_another_script_do_not_count() {
    let (ar, en, ru) = (
        Some(Language::Arabic),
        Some(Language::English),
        Some(Language::Russian),
    );
    let cases: &[(&str, Option<Language>)] = &[
        ("Orion представила Orion Pad 12 Ultra и NoteBook Air", ru),
        ("купить orion galaxy s25 ultra недорого", ru),
        ("Пожар в порту @harbour_news #PortMarlow #BreakingNews", ru),
        (
            "Мэр ответил https://example.org/news/the-mayor-answers-the-people-of-the-town",
            ru,
        ),
        (
            "Подробности: https://example.org/the-harbour-is-closed-and-nobody-knows-why",
            ru,
        ),
        ("Песня «I will always be with you» стала хитом", ru),
        (
            "Новый альбом Ann Okafor «The Silent Pier» вышел в пятницу.",
            ru,
        ),
        ("Команда `git push --force origin main` удаляет историю", ru),
        ("أعلنت Orion عن Pad 12 Ultra XL في Port Marlow", ar),
        (
            "حريق في الميناء https://example.org/news/fire-in-the-harbour-of-port-marlow",
            ar,
        ),
        ("شكرا @harbour_news #PortMarlow #BreakingNews #Live", ar),
        (
            "The film «Тихая пристань за рекой» is shown in the old town on Friday",
            en,
        ),
        ("Read the letter to مدير الميناء in full", en),
        ("Thanks to @порт_липово for the photo of the harbour", en),
        ("#Порт #Липово", ru),
        ("#PortMarlow @harbour_news", None),
        ("https://example.org/the-harbour-is-closed", None),
        ("press@example.org", None),
    ];
    let mut failures = Vec::new();
    for (text, expected) in cases {
        let found = Detection::of(text);
        if found.language != *expected {
            failures.push(format!("{text}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn names_alone_are_a_guess() {
    for text in [
        "Ann Okafor, Leo Barth, Marta Ilves",
        "NoteBook Air, Orion Pad Ultra",
    ] {
        let found = Detection::of(text);
        assert!(
            found.confidence < Detection::LOW_CONFIDENCE,
            "{text}: {found:?}"
        );
    }
}

#[test]
fn says_when_it_cannot_tell() {
    for text in ["", "123 456", "* * *", "😀"] {
        assert_eq!(
            Detection::of(text),
            Detection {
                language: None,
                confidence: 0.0,
                looks_like: None
            },
            "{text:?}"
        );
    }
    assert!(Detection::of("Ок").confidence < 0.75);
}

#[test]
fn a_name_in_another_language_does_not_matter() {
    let text = "Министр встретился с премьером Василем Їжаком, чтобы обсудить новый договор. The talks went well.";
    assert_eq!(Detection::of(text).language, Some(Language::Russian));
}

#[test]
fn counts_letters_by_script() {
    let profile = ScriptProfile::of("abc Где? مُدرّسة, 123 — 你好");
    assert_eq!(
        profile,
        ScriptProfile {
            arabic: 5,
            cyrillic: 3,
            latin: 3,
            other: 2
        }
    );
    assert!((ScriptProfile::of("кот cat").share(Language::Russian) - 0.5).abs() < 1e-9);
    assert_eq!(
        ScriptProfile::of("...").share(Language::English).to_bits(),
        0.0_f64.to_bits()
    );
    assert_eq!(ScriptProfile::of("你好 a").dominant(), None);
}
