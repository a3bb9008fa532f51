//! Text as words, each with its line, so that a phrase is found across the end of a line.

/// A part of a text that is read as one: a paragraph, a comment, a literal.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) words: Vec<Word>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) line: usize,
    /// In lower case; empty where a sentence ends.
    pub(crate) text: String,
}

impl Block {
    /// The words of consecutive lines, of which the first has the number `line`. Code between backticks is no text.
    pub(crate) fn read<'a>(line: usize, lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut block = Self::default();
        let mut is_code = false;
        for (number, text) in (line..).zip(lines) {
            let mut word = String::new();
            for c in text.chars() {
                if c == '`' {
                    is_code = !is_code;
                    block.end_word(number, &mut word);
                    block.end_sentence(number);
                } else if is_code {
                } else if c.is_alphanumeric() || matches!(c, '_' | '-' | '\'' | '’') {
                    word.extend(if c == '’' { '\'' } else { c }.to_lowercase());
                } else {
                    block.end_word(number, &mut word);
                    if !c.is_whitespace() && !matches!(c, '"' | '*' | '“' | '”') {
                        block.end_sentence(number);
                    }
                }
            }
            block.end_word(number, &mut word);
        }
        block
    }

    fn end_word(&mut self, line: usize, word: &mut String) {
        if !word.is_empty() {
            self.words.push(Word { line, text: std::mem::take(word) });
        }
    }

    fn end_sentence(&mut self, line: usize) {
        self.words.push(Word { line, text: String::new() });
    }

    /// The lines on which a phrase of words begins.
    pub(crate) fn find(&self, phrase: &str) -> Vec<usize> {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        let is_here = |words: &&[Word]| words.iter().map(|word| &word.text).eq(phrase.iter());
        self.words.windows(phrase.len()).filter(is_here).map(|words| words[0].line).collect()
    }
}

/// A text's paragraphs without its fenced code.
pub(crate) fn paragraphs(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    let mut is_fenced = false;
    for (number, line) in (1..).zip(text.lines().chain([""])) {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        if is_fence || is_fenced || line.trim().is_empty() {
            if !lines.is_empty() {
                blocks.push(Block::read(number - lines.len(), lines.drain(..)));
            }
        } else {
            lines.push(line);
        }
    }
    blocks
}

#[test]
fn phrases_are_found_across_lines_but_not_in_code_or_across_sentences() {
    let blocks = paragraphs("One\nthat Goes\non here.\n\nIt goes. On `goes on` it\n\n```\ngoes on\n```\nbye-goes on\n");
    assert_eq!(blocks.len(), 3);
    assert_eq!(blocks[0].find("goes on"), [2]);
    assert!(blocks[1].find("goes on").is_empty());
    assert!(blocks[2].find("goes on").is_empty());
}
