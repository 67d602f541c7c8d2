//! How the document of differences is read, and what it must have.

#[path = "../build/differences.rs"]
mod differences;

use differences::sections;

const HEAD: &str =
    "# Title\n\nWords.\n\n## Stage 5, merged\n\n| original | pystamps |\n|---|---|\n";

#[test]
fn rows_belong_to_their_section() {
    let text =
        format!("{HEAD}| a `b \\| c` | d |\n| e | f |\n\nMore words.\n\n## Stage 6\n\nNothing.\n");
    let read = sections(&text).expect("a good document");
    let headings: Vec<_> = read.iter().map(|s| (s.heading.as_str(), s.anchor.as_str())).collect();
    assert_eq!(headings, [("Stage 5, merged", "stage-5-merged"), ("Stage 6", "stage-6")]);
    let rows: Vec<_> =
        read[0].rows.iter().map(|row| (row.original.as_str(), row.pystamps.as_str())).collect();
    assert_eq!(rows, [("a `b | c`", "d"), ("e", "f")]);
    assert!(read[1].rows.is_empty());
}

#[test]
fn a_malformed_row_is_named() {
    let cases = [
        ("| one |\n", "line 9: a row has two cells"),
        ("| a | b |\n| a | b | c |\n", "line 10: a row has two cells"),
        ("| a | b\n", "line 9: a row has two cells"),
        ("| a | |\n", "line 9: a cell is empty"),
        ("\n| where | original |\n", "line 10: a table begins with"),
        ("\n| original | pystamps |\n| a | b |\n", "line 11: the second line"),
    ];
    for (rows, expected) in cases {
        let problem = sections(&format!("{HEAD}{rows}")).expect_err("a malformed document");
        assert!(problem.contains("docs/differences.md, "), "{problem}");
        assert!(problem.contains(expected), "{problem}");
    }
    let early = "| original | pystamps |\n|---|---|\n| a | b |\n";
    assert!(sections(early).expect_err("no section").contains("line 3: a row stands before"));
}
