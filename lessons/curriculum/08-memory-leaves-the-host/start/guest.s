// A guest with eight pages of RAM at 0x40000000, its MMU off. This is all it does with them.
        .equ    NOTE,     0x40002000            // the third page: the host left a number there
        .equ    DOORBELL, 0x09000000            // no memory there: a store makes KVM_RUN return

        .global _start
_start:
        ldr     x12, =DOORBELL
        ldr     x10, =NOTE
        ldr     x11, [x10]
        str     x11, [x12]                      // first ring: what is on the page

        mov     x13, #4
2:      add     x10, x10, #0x1000               // the four pages behind it, one after the other
        str     x13, [x10]
        subs    x13, x13, #1
        b.ne    2b
        str     xzr, [x12]                      // second ring: done

1:      wfi
        b       1b
