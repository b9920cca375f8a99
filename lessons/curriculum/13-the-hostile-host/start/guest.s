// The guest that is under attack. It wants nothing, shares nothing, and looks after what it has:
//
//   0x40001000  SECRET  a number
//   0x40002000  DIARY   another
//
// Again and again it rings twice: with what it finds in SECRET, and with what it finds in DIARY.

        .equ    SECRET,   0x40001000
        .equ    DIARY,    0x40002000
        .equ    DOORBELL, 0x10000000            // no memory there

        .global _start
_start:
        ldr     x19, =DOORBELL
        ldr     x20, =SECRET
        ldr     x21, =DIARY
        ldr     w10, =0x5ec2e701
        str     w10, [x20]
        ldr     w10, =0xd1a2d1a2
        str     w10, [x21]

1:      ldr     w10, [x20]
        str     w10, [x19]
        ldr     w10, [x21]
        str     w10, [x19, #8]
        b       1b
