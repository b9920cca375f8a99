// A guest that tells what it was given: it rings with x7 as the VMM set it, then with a word of its own memory.
        .equ    DOORBELL, 0x09000000            // no memory there: a store makes KVM_RUN return
        .equ    DATA, 0x40001000

        .global _start
_start:
        ldr     x3, =DOORBELL
        str     x7, [x3]
        ldr     x4, =DATA
        ldr     x5, [x4]
        add     x5, x5, #1
        str     x5, [x3]
1:      wfi
        b       1b
