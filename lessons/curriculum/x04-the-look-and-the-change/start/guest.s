// A protected guest that only says that it runs.
        .equ    DOORBELL, 0x09000000

        .global _start
_start:
        ldr     x3, =DOORBELL
        str     wzr, [x3]
1:      wfi
        b       1b
