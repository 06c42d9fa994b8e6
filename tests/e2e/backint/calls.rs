//! What a database asks, one call after the other: the newest, all, one, none; names of all kinds; what can't be understood.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use anyhow::{Result, ensure};
use libtest_mimic::Trial;

use super::super::support::process::BACKUPX;
use super::scene::{Scene, about, back, called_as, folder_trial, line, on_both};

/// An id of the right form that nobody was given.
const NOBODYS: &str = "20261128T063000Z-0123456789abcdef0123456789abcdef";

pub(super) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    trials.extend(on_both(
        "backint::the_newest_all_one_and_none_are_told_apart",
        life,
    ));
    trials.extend(on_both(
        "backint::a_lost_catalogue_is_made_anew_from_storage",
        lost_catalogue,
    ));
    trials.extend([
        folder_trial(
            "backint::names_with_spaces_and_quotes_stay_what_they_are",
            names,
        ),
        folder_trial("backint::one_that_fails_does_not_hide_the_others", others),
        folder_trial(
            "backint::what_cannot_be_understood_does_nothing",
            not_understood,
        ),
        folder_trial(
            "backint::two_calls_share_a_catalogue_that_neither_had",
            two_at_once,
        ),
        folder_trial("backint::it_is_found_by_its_names", by_name),
        folder_trial(
            "backint::a_place_that_is_not_there_has_lost_nothing",
            not_mounted,
        ),
        folder_trial(
            "backint::databases_that_share_a_storage_see_their_own",
            two_databases,
        ),
    ]);
    trials
}

fn life(scene: &Scene) -> Result<()> {
    let path = scene.path("log_backup");
    let mut ids = Vec::new();
    for content in ["first", "second"] {
        fs::write(&path, content)?;
        let saved = scene.call_well("backup", &about("#FILE", &path))?;
        ensure!(
            saved.all("#SAVED")[0][2] == content.len().to_string(),
            "{saved:?}"
        );
        ids.push(saved.ebid_of(&path)?);
    }
    ensure!(ids[0] != ids[1], "one id for two objects: {ids:?}");
    let name = path.display().to_string();
    let to = scene.path("back");
    let target = to.display().to_string();

    let newest = scene.call_well("restore", &line("#NULL", &[&name, &target]))?;
    ensure!(
        newest.all("#RESTORED") == [[ids[1].as_str(), &name]],
        "{newest:?}"
    );
    ensure!(fs::read(&to)? == b"second", "not the newest");
    scene.call_well("restore", &back(&ids[0], &path, &to))?;
    ensure!(fs::read(&to)? == b"first", "not the one that was asked for");

    let all = scene.call_well("inquire", "#NULL\n")?;
    let found: Vec<_> = all
        .all("#BACKUP")
        .into_iter()
        .map(|mut answer| answer.swap_remove(0))
        .collect();
    ensure!(
        found == [ids[1].as_str(), &ids[0]],
        "the newest is first: {all:?}"
    );
    let dated = format!(
        "{}#NULL \"{name}\"\n",
        line("#SOFTWAREID", &["backint 1.50", "hdb"])
    );
    let dated = scene.call_well("inquire", &dated)?;
    ensure!(
        dated
            .all("#BACKUP")
            .iter()
            .all(|answer| answer[2].ends_with('Z')),
        "{dated:?}"
    );
    let one = scene.call_well("inquire", &line("#EBID", &[&ids[0], &name]))?;
    ensure!(one.all("#BACKUP") == [[ids[0].as_str(), &name]], "{one:?}");

    let asked = [
        line("#EBID", &[NOBODYS, &name]),
        line("#EBID", &["what is this", &name]),
        line("#EBID", &[&ids[0], "/another name"]),
        line("#NULL", &["/nobody's"]),
    ];
    let none = scene.call_well("inquire", &asked.concat())?;
    ensure!(none.all("#NOTFOUND").len() == 4, "{none:?}");
    let none = scene.call(
        "restore",
        &[
            line("#EBID", &[NOBODYS, &name]),
            line("#NULL", &["/nobody's"]),
        ]
        .concat(),
    )?;
    ensure!(
        none.code == Some(1) && none.all("#NOTFOUND").len() == 2,
        "{none:?}"
    );

    // An id that belongs to another name is not what was meant.
    let other = scene.call_well("delete", &line("#EBID", &[&ids[0], "/another name"]))?;
    ensure!(
        other.all("#NOTFOUND") == [[ids[0].as_str(), "/another name"]],
        "{other:?}"
    );
    let asked = line("#EBID", &[&ids[1], &name]);
    let gone = scene.call_well("delete", &asked)?;
    ensure!(
        gone.all("#DELETED") == [[ids[1].as_str(), &name]],
        "{gone:?}"
    );
    let again = scene.call_well("delete", &asked)?;
    ensure!(again.all("#NOTFOUND").len() == 1, "{again:?}");
    let left = scene.call_well("inquire", "#NULL\n")?;
    ensure!(
        left.all("#BACKUP") == [[ids[0].as_str(), &name]],
        "{left:?}"
    );
    scene.call_well("delete", &line("#EBID", &[&ids[0], &name]))?;
    ensure!(
        scene.place.objects()?.is_empty(),
        "something stays in storage"
    );
    let none = scene.call("inquire", "#NULL\n")?;
    ensure!(none.all("#BACKUP").is_empty(), "{none:?}");
    Ok(())
}

fn lost_catalogue(scene: &Scene) -> Result<()> {
    let path = scene.path("data");
    fs::write(&path, "content")?;
    let saved = scene.call_well("backup", &about("#FILE", &path))?;
    let ebid = saved.ebid_of(&path)?;
    let catalogue = scene.path("catalogue.db");
    let (to, mine) = (scene.path("back"), back(&ebid, &path, &scene.path("back")));
    for damage in ["it is gone", "it is no database"] {
        for suffix in ["", "-wal", "-shm"] {
            let file = scene.path(&format!("catalogue.db{suffix}"));
            if file.exists() {
                fs::remove_file(file)?;
            }
        }
        if damage == "it is no database" {
            fs::write(
                &catalogue,
                "this is no SQLite file, and nobody reads it as one".repeat(100),
            )?;
        }
        let found = scene.call_well("inquire", "#NULL\n")?;
        ensure!(found.all("#BACKUP").len() == 1, "{damage}: {found:?}");
        scene.call_well("restore", &mine)?;
        ensure!(fs::read(&to)? == b"content", "{damage}");
        fs::remove_file(&to)?;
        fs::remove_file(&catalogue)?;
    }
    let ini = scene.path("backint.ini").display().to_string();
    let rebuilt = called_as(
        BACKUPX.as_ref(),
        &["backint", "--rebuild-catalog", "-p", &ini],
    )?;
    ensure!(rebuilt.code == Some(0), "{rebuilt:?}");
    ensure!(
        rebuilt.stdout.starts_with("1 objects with 7 bytes"),
        "{rebuilt:?}"
    );
    scene.call_well("restore", &mine)?;
    Ok(())
}

fn names(scene: &Scene) -> Result<()> {
    for name in [
        "a file",
        "with \"quotes\"",
        "back\\slash",
        "ümläut 漢",
        "#PIPE",
        "tab\there",
    ] {
        let path = scene.path(name);
        fs::write(&path, name)?;
        let saved = scene.call_well("backup", &about("#FILE", &path))?;
        let ebid = saved.ebid_of(&path)?;
        fs::remove_file(&path)?;
        let restored = scene.call_well(
            "restore",
            &line("#EBID", &[&ebid, &path.display().to_string()]),
        )?;
        ensure!(restored.all("#RESTORED").len() == 1, "{restored:?}");
        ensure!(fs::read(&path)? == name.as_bytes(), "{name}");
    }
    let found = scene.call_well("inquire", "#NULL\n")?;
    ensure!(found.all("#BACKUP").len() == 6, "{found:?}");
    Ok(())
}

fn others(scene: &Scene) -> Result<()> {
    let (missing, folder, good) = (
        scene.path("missing"),
        scene.path("folder"),
        scene.path("good"),
    );
    fs::create_dir(&folder)?;
    fs::write(&good, "content")?;
    let input: String = [&missing, &folder, &good]
        .map(|path| about("#FILE", path))
        .concat();
    let called = scene.call("backup", &input)?;
    ensure!(called.code == Some(1), "{called:?}");
    ensure!(called.all("#ERROR").len() == 2, "{called:?}");
    let ebid = called.ebid_of(&good)?;

    let to = scene.path("back");
    let input = [
        back(NOBODYS, &missing, &to),
        back(&ebid, &good, &folder),
        back(&ebid, &good, &to),
    ]
    .concat();
    let called = scene.call("restore", &input)?;
    ensure!(called.code == Some(1), "{called:?}");
    for (keyword, count) in [("#NOTFOUND", 1), ("#ERROR", 1), ("#RESTORED", 1)] {
        ensure!(called.all(keyword).len() == count, "{called:?}");
    }
    ensure!(fs::read(&to)? == b"content", "the good one is not back");
    Ok(())
}

fn not_understood(scene: &Scene) -> Result<()> {
    let path = scene.path("file");
    fs::write(&path, "content")?;
    let good = about("#FILE", &path);
    for (input, why) in [
        (
            format!("{good}#PIPE \"/open"),
            "line 2 has a quote that is not closed",
        ),
        (
            format!("{good}#EBID \"a\" \"b\""),
            "no request of this function",
        ),
        ("nothing\n".to_owned(), "names nothing to backup"),
    ] {
        let called = scene.call("backup", &input)?;
        ensure!(called.code == Some(2), "{called:?}");
        ensure!(called.said.contains(why), "{called:?}");
        ensure!(called.answers == ["what stood there before"], "{called:?}");
    }
    let (mut options, _) = scene.options("backup", &good)?;
    options.extend(["-c".to_owned(), "2".to_owned()]);
    let words: Vec<_> = std::iter::once("backint")
        .chain(options.iter().map(String::as_str))
        .collect();
    let cut = called_as(BACKUPX.as_ref(), &words)?;
    ensure!(
        cut.code == Some(2) && cut.stderr.contains("cut off"),
        "{cut:?}"
    );
    for words in [
        &["backint", "-f", "explode"][..],
        &["backint"],
        &["backint", "-f", "backup"],
    ] {
        let ended = called_as(BACKUPX.as_ref(), words)?;
        ensure!(ended.code == Some(2), "{words:?}: {ended:?}");
    }
    ensure!(scene.place.objects()?.is_empty(), "something was done");
    Ok(())
}

fn two_at_once(scene: &Scene) -> Result<()> {
    const EACH: usize = 5;
    let mut running = Vec::new();
    for call in 0..2 {
        let mut input = String::new();
        for number in 0..EACH {
            let path = scene.path(&format!("{call}-{number}"));
            fs::write(&path, format!("{call} {number}"))?;
            input.push_str(&about("#FILE", &path));
        }
        running.push(scene.start("backup", &input)?);
    }
    for running in running {
        let saved = running.end()?;
        ensure!(saved.code == Some(0), "{saved:?}");
        ensure!(saved.all("#SAVED").len() == EACH, "{saved:?}");
        ensure!(!saved.said.contains("catalogue"), "{saved:?}");
    }
    let found = scene.call_well("inquire", "#NULL\n")?;
    ensure!(found.all("#BACKUP").len() == 2 * EACH, "{found:?}");
    Ok(())
}

fn by_name(scene: &Scene) -> Result<()> {
    let path = scene.path("file");
    fs::write(&path, "content")?;
    for name in ["backint", "hdbbackint"] {
        let link = scene.path(name);
        symlink(BACKUPX, &link)?;
        let version = called_as(&link, &["-V"])?;
        let expected = format!(
            "\"backint 1.50\" \"BackupX {}\"\n",
            env!("CARGO_PKG_VERSION")
        );
        ensure!(version.stdout == expected, "{version:?}");
        let (options, answers) = scene.options("backup", &about("#FILE", &path))?;
        let words: Vec<_> = options.iter().map(String::as_str).collect();
        let ended = called_as(&link, &words)?;
        ensure!(ended.code == Some(0), "{ended:?}");
        let said = fs::read_to_string(answers)?;
        ensure!(said.contains("\n#SAVED "), "{said}");
    }
    let version = called_as(BACKUPX.as_ref(), &["backint", "-v"])?;
    ensure!(version.stdout == "\"backint 1.50\"\n", "{version:?}");
    let help = called_as(BACKUPX.as_ref(), &["backint", "--help"])?;
    ensure!(
        help.code == Some(0) && help.stdout.contains("PARFILE"),
        "{help:?}"
    );
    Ok(())
}

fn not_mounted(scene: &Scene) -> Result<()> {
    let path = scene.path("file");
    fs::write(&path, "content")?;
    let ebid = scene
        .call_well("backup", &about("#FILE", &path))?
        .ebid_of(&path)?;
    let away = scene.path("away");
    fs::rename(scene.path("storage"), &away)?;
    let asked = line("#EBID", &[&ebid, &path.display().to_string()]);
    for (function, input) in [
        ("inquire", "#NULL\n"),
        ("inquire", &asked),
        ("restore", &asked),
        ("delete", &asked),
    ] {
        let called = scene.call(function, input)?;
        ensure!(called.code == Some(1), "{called:?}");
        ensure!(called.all("#ERROR").len() == 1, "{called:?}");
        ensure!(called.all("#NOTFOUND").is_empty(), "{called:?}");
    }
    fs::rename(&away, scene.path("storage"))?;
    scene.call_well("restore", &asked)?;
    Ok(())
}

fn two_databases(scene: &Scene) -> Result<()> {
    let path = scene.path("file");
    let mut ids = Vec::new();
    for user in ["HN1", "HN2"] {
        fs::write(&path, user)?;
        let (mut options, answers) = scene.options("backup", &about("#FILE", &path))?;
        options[1] = user.to_owned();
        let words: Vec<_> = std::iter::once("backint")
            .chain(options.iter().map(String::as_str))
            .collect();
        let ended = called_as(BACKUPX.as_ref(), &words)?;
        ensure!(ended.code == Some(0), "{ended:?}");
        ids.push(fs::read_to_string(answers)?);
    }
    // This one is of neither.
    let none = scene.call_well("inquire", "#NULL\n")?;
    ensure!(none.answers == ["#NOTFOUND"], "{none:?}");
    // Whoever knows an id may have it: so a system is copied.
    let id = ids[1].split('"').nth(5).unwrap_or_default().to_owned();
    let to = scene.path("back");
    scene.call_well("restore", &back(&id, &path, &to))?;
    ensure!(fs::read(&to)? == b"HN2", "not what was asked for");
    let mode = fs::metadata(&to)?.permissions().mode() & 0o777;
    ensure!(mode == 0o600, "{mode:o}");
    Ok(())
}
