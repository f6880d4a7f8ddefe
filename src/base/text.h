// Text as people and files write it.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

// Without blanks at both ends (ASCII blanks, no-break and thin spaces, BOM).
std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
bool equal_ignoring_case(std::string_view left, std::string_view right);  // ASCII
std::string lower_ascii(std::string_view text);

bool is_valid_utf8(std::string_view bytes);
std::string utf8_from_cp1252(std::string_view bytes);
void append_utf8(std::string& out, char32_t code_point);

// Lower case and without accents for searching: "Müller & SØN" is found by "muller" and by "müller".
// Covers Latin-1 and Latin Extended-A, Greek and Cyrillic capitals; other text is kept.
std::string search_fold(std::string_view utf8);

// File names are bytes. For screens, logs and JSON: valid UTF-8 is kept, other bytes and control
// characters become \xHH, so that the answer is readable and unambiguous.
std::string printable(std::string_view bytes);

// Digits compare as numbers: SO9 < SO10 < SO10a. A total order: equal only when the texts are equal.
bool natural_less(std::string_view left, std::string_view right);

// The nearest of `words` within two edits (or a third of the length), "" when none is near: "did you mean".
std::string_view closest(std::string_view word, std::span<const std::string_view> words);

}  // namespace millrace
