// All tests on one processor. The last line is the number of checks; the status is 0 when all of them passed.
#include "target/check.hpp"

int main()
{
    target::test_wire();
    target::test_layout();
    target::test_vring();
    target::test_bus();
    target::say(target::passed);
    target::say(" passed, ");
    target::say(target::failed);
    target::say(" failed\n");
    target::finish(target::failed == 0 ? 0 : 1);
}
