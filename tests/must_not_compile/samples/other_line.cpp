// SPDX-License-Identifier: Apache-2.0
// error: a whole number is needed
// verdict: the first place named is
template <class T>
void f(T) {
    static_assert(sizeof(T) == 0, "a whole number is needed");
}
int g() {
    f(1);
    return 0;  // HERE
}
