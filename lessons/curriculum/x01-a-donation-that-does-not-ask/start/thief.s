// Another protected guest. It loads a word from the second page of a region that its VMM gave it, and rings with it.
        .equ    REGION, 0x40100000
        .equ    DOORBELL, 0x09000000

        .global _start
_start:
        ldr     x1, =REGION
        ldr     x2, [x1, #0x1000]
        ldr     x3, =DOORBELL
        str     x2, [x3]
1:      wfi
        b       1b
