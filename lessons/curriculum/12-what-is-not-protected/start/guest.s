// A guest that trusts nobody. It makes up a key, keeps it in a register and in a page, and never shares anything.
//
//   0x40000000  CODE
//   0x40001000  VAULT   the key, and behind it a diary
//   0x40002000  TABLE   sixteen pages, one for each value of the key's last four bits

        .equ    VAULT,    0x40001000
        .equ    TABLE,    0x40002000
        .equ    DOORBELL, 0x10000000            // no memory there

        .equ    SYSTEM_OFF, 0x84000008

        .global _start
_start:
        ldr     x19, =DOORBELL
        ldr     x20, =VAULT

        mrs     x21, cntvct_el0                 // a key, different every time
        ldr     x10, =0x9e3779b97f4a7c15
        mul     x21, x21, x10
        str     x21, [x20]

        adr     x10, diary
        add     x11, x20, #0x100
1:      ldrb    w12, [x10], #1
        strb    w12, [x11], #1
        cbnz    w12, 1b

        and     x12, x21, #15                   // look something up for the key, as ciphers with tables do
        ldr     x11, =TABLE
        add     x11, x11, x12, lsl #12
        ldr     x22, [x11]

        mov     w23, #1                         // 1: the door is locked
        str     wzr, [x19]                      // first ring: nothing is shared, nothing is told

        cbz     w23, open
        str     wzr, [x19, #8]                  // second ring, at DOORBELL + 8: locked
        b       off
open:   str     wzr, [x19, #16]                 // or at DOORBELL + 16: open

off:    ldr     x0, =SYSTEM_OFF
        hvc     #0
        b       .

// Every guest has a way to call the hypervisor somewhere. This one never comes here by itself.
call:   hvc     #0
        str     w0, [x19, #24]                  // a ring at DOORBELL + 24, with what the call returned
        b       .

diary:  .asciz  "Nobody reads this but me."
