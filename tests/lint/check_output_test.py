#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests examples/check_output.py: check_output_test.py SCRIPT"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(sys.argv.pop(1)).resolve()


class CheckOutput(unittest.TestCase):
    def judge(self, comment, program):
        with tempfile.TemporaryDirectory() as directory:
            source = pathlib.Path(directory) / "example.cpp"
            source.write_text(comment)
            run = subprocess.run([sys.executable, SCRIPT, source, sys.executable, "-c", program], text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            return run.returncode, run.stdout

    def test_the_same_text_passes_and_its_indent_is_kept(self):
        comment = "// SPDX-License-Identifier: Apache-2.0\n\n// Says hello.\n// expected output:\n//   hello\n//     there\n\n// more\nint x;\n"
        self.assertEqual(self.judge(comment, "print('hello\\n  there')"), (0, ""))
        status, words = self.judge(comment, "print('hello\\nthere')")
        self.assertEqual(status, 1)
        self.assertIn("but it printed\n  hello\n  there\n", words)

    def test_dots_stand_for_any_text_or_any_lines(self):
        comment = "// expected output:\n//   port ... (tcp)\n//   ...\n//   bye\n"
        self.assertEqual(self.judge(comment, "print('port 8123 (tcp)\\nbye')")[0], 0)
        self.assertEqual(self.judge(comment, "print('port 8123 (tcp)\\na\\nb\\nbye')")[0], 0)
        self.assertEqual(self.judge(comment, "print('port 8123 (udp)\\nbye')")[0], 1)
        self.assertEqual(self.judge(comment, "print('port 8123 (tcp)\\nbye\\nmore')")[0], 1)

    def test_a_failing_program_fails_even_with_the_right_text(self):
        status, words = self.judge("// expected output:\n//   x\n", "print('x'); raise SystemExit(3)")
        self.assertEqual(status, 1)
        self.assertIn("exited with 3", words)


if __name__ == "__main__":
    unittest.main()
