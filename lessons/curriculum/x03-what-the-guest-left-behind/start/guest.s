// A protected guest that leaves a secret on two of its pages, and rings.
        .equ    FIRST_PAGE, 0x40001000
        .equ    SECOND_PAGE, 0x40002000
        .equ    DOORBELL, 0x09000000            // no memory there: a store makes KVM_RUN return
        .equ    SECRET, 0x5ec4e7

        .global _start
_start:
        ldr     x0, =SECRET
        ldr     x1, =FIRST_PAGE
        ldr     x2, =SECOND_PAGE
        str     x0, [x1]
        str     x0, [x2]
        ldr     x3, =DOORBELL
        str     wzr, [x3]
1:      wfi
        b       1b
