// A protected guest with a secret: it puts it on the second page of its memory, and rings.
        .equ    SECRET_PAGE, 0x40001000
        .equ    SECRET, 0x5ec4e7
        .equ    DOORBELL, 0x09000000            // no memory there: a store makes KVM_RUN return

        .global _start
_start:
        ldr     x1, =SECRET_PAGE
        ldr     x2, =SECRET
        str     x2, [x1]
        ldr     x3, =DOORBELL
        str     wzr, [x3]
1:      wfi
        b       1b
