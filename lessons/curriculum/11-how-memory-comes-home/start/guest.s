// A guest that leaves something in three pages of its memory and switches itself off.
//
//   0x40001000  PRIVATE    never shared
//   0x40002000  OFFER      shared with the host, and left so
//   0x40003000  DRAFT      shared with the host for a while
//   0x40004000  UNTOUCHED  the host wrote there before; the guest never looks

        .equ    PRIVATE,  0x40001000
        .equ    OFFER,    0x40002000
        .equ    DRAFT,    0x40003000
        .equ    DOORBELL, 0x10000000            // no memory there

        .equ    MEM_SHARE,   0xc6000003         // x1 = page, x2 = x3 = 0 -> x0
        .equ    MEM_UNSHARE, 0xc6000004
        .equ    SYSTEM_OFF,  0x84000008

        .global _start
_start:
        ldr     x19, =DOORBELL
        ldr     x20, =PRIVATE
        ldr     x21, =OFFER
        ldr     x22, =DRAFT

        ldr     w10, =0x11111111
        str     w10, [x20]
        ldr     w10, =0x22222222
        str     w10, [x21]
        ldr     w10, =0x33333333
        str     w10, [x22]

        mov     x1, x21
        bl      share
        mov     x1, x22
        bl      share
        str     wzr, [x19]                      // the host looks

        // <- DRAFT is nobody's business any more: the host should find nothing in it when all this is over

        ldr     x0, =SYSTEM_OFF
        hvc     #0
        b       .

// x1 = page
share:  ldr     x0, =MEM_SHARE
        mov     x2, #0
        mov     x3, #0
        hvc     #0
        ret
