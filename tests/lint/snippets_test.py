#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests scripts/snippets on a small tree: snippets_test.py SCRIPT"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(sys.argv.pop(1)).resolve()

TEST = """\
#include "contract.hpp"
void f() {
    // [chain]
    int a = 1;
    // [inner]
    if (a) return;
    // [/inner]
    // [/chain]
}
"""


class Snippets(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        self.write("tests/docs/readme_test.cpp", TEST)
        self.write("tests/docs/contract.hpp", "struct Greeter;\n")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_script(self, *options):
        run = subprocess.run([sys.executable, SCRIPT, "--root", self.root, *options], text=True, stdout=subprocess.PIPE)
        return run.returncode, run.stdout

    def block(self, source, code, document="README.md"):
        self.write(document, f"Text\n\n<!-- snippet: {source} -->\n```cpp\n{code}```\nmore\n")

    def test_the_same_code_passes_without_its_indent_and_inner_marks(self):
        self.block("tests/docs/readme_test.cpp#chain", "int a = 1;\nif (a) return;\n")
        self.assertEqual(self.run_script(), (0, ""))

    def test_other_code_is_refused_until_written(self):
        self.block("tests/docs/readme_test.cpp#inner", "old\n", "docs/zh/deep.md")
        status, words = self.run_script()
        self.assertEqual(status, 1)
        self.assertIn("docs/zh/deep.md:4: differs from tests/docs/readme_test.cpp#inner", words)
        self.assertEqual(self.run_script("--write")[0], 0)
        self.assertIn("```cpp\nif (a) return;\n```\nmore", (self.root / "docs/zh/deep.md").read_text())
        self.assertEqual(self.run_script(), (0, ""))

    def test_a_header_counts_if_a_test_beside_it_includes_it(self):
        self.block("tests/docs/contract.hpp", "struct Greeter;\n")
        self.assertEqual(self.run_script(), (0, ""))
        self.write("tests/docs/lonely.hpp", "int x;\n")
        self.block("tests/docs/lonely.hpp", "int x;\n")
        self.assertIn("is not compiled", self.run_script()[1])

    def test_what_is_missing_is_named(self):
        for source, words in (("tests/docs/gone_test.cpp#a", "does not exist"),
                              ("tests/docs/readme_test.cpp#gone", "has 0 regions '// [gone]'"),):
            with self.subTest(source):
                self.block(source, "x\n")
                status, printed = self.run_script("--write")
                self.assertEqual(status, 1)
                self.assertIn(words, printed)

    def test_a_cpp_block_needs_a_source_and_others_do_not(self):
        self.write("README.md", "```cpp\nint x;\n```\n\n```sh\nls\n```\n")
        status, words = self.run_script()
        self.assertEqual(status, 1)
        self.assertEqual(words.count("README.md"), 1)
        self.assertIn("README.md:1: this block is compiled nowhere", words)


if __name__ == "__main__":
    unittest.main()
