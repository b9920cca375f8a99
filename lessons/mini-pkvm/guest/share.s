// A protected guest that decides what the host may see. It writes a word to two pages of its RAM, lends the second to the
// host, tells the host so by a store to an address that nothing backs, and takes the page back when it runs again.
//
//   0x40001000  private: the host that touches it faults
//   0x40002000  lent: the host reads 0x600d600d there, until it is taken back
//
// The results of the two calls leave by the stores: 0 each; -3 when it is not a protected VM's page, -1 in a normal VM.

        .equ    GUEST_CONSOLE, 0x10000000
        .equ    PRIVATE_PAGE, 0x40001000
        .equ    SHARED_PAGE, 0x40002000
        .equ    MEM_SHARE, 0xc6000003           // ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID
        .equ    MEM_UNSHARE, 0xc6000004

share:  ldr     w0, word
        ldr     w1, private_page
        str     w0, [x1]
        ldr     w1, shared_page
        str     w0, [x1]
        ldr     w0, mem_share
        bl      call
        ldr     w0, mem_unshare
        bl      call
1:      wfi
        b       1b

// call: w0 = function. About the shared page; the result goes to the host.
call:   ldr     w1, shared_page
        mov     x2, #0
        mov     x3, #0
        hvc     #0
        mov     x4, #GUEST_CONSOLE
        str     w0, [x4]
        ret

        .balign 4
word:           .word   0x600d600d
private_page:   .word   PRIVATE_PAGE
shared_page:    .word   SHARED_PAGE
mem_share:      .word   MEM_SHARE
mem_unshare:    .word   MEM_UNSHARE
