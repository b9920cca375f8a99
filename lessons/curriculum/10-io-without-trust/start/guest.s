// A guest that talks to its host through one page of three.
//
//   0x40000000  CODE    this program
//   0x40001000  SECRET  is nobody's business
//   0x40002000  BUFFER  the message for the host, and room for its reply
//
// Each store to the doorbell stops the guest: the host looks at all its pages, then lets it go on.

        .equ    SECRET,   0x40001000
        .equ    BUFFER,   0x40002000
        .equ    REPLY,    0x800                 // where in BUFFER the host leaves its reply
        .equ    DOORBELL, 0x10000000            // no memory there

        .equ    MEM_SHARE,   0xc6000003         // x1 = guest physical address of a page, x2 = x3 = 0 -> x0
        .equ    MEM_UNSHARE, 0xc6000004         // the same
        .equ    SYSTEM_OFF,  0x84000008         // PSCI

        .global _start
_start:
        ldr     x19, =DOORBELL
        ldr     x20, =BUFFER

        ldr     x10, =SECRET
        ldr     x11, =0x5ec2e701
        str     x11, [x10]                      // a secret
        adr     x11, message                    // and a message
        mov     x10, x20
1:      ldrb    w12, [x11], #1
        strb    w12, [x10], #1
        cbnz    w12, 1b

        str     wzr, [x19]                      // first ring: nothing is shared yet

        mov     w0, #0                          // <- 1. share BUFFER with the host: MEM_SHARE, by hvc #0
        str     w0, [x19, #8]                   // second ring: what MEM_SHARE said. The host reads, and replies

        mov     w21, #0                         // <- 2. take the host's reply, at REPLY in BUFFER

        mov     w0, #0                          // <- 3. take BUFFER back: MEM_UNSHARE
        str     w0, [x19, #16]                  // third ring: what MEM_UNSHARE said

        str     w21, [x19, #24]                 // last ring: the reply, as the guest took it
        ldr     w0, [x20, #REPLY]
        str     w0, [x19, #32]                  // and what is in the page now that it is private again

        ldr     x0, =SYSTEM_OFF
        hvc     #0
        b       .

message:
        .asciz  "Dear host: one page for the two of us."
