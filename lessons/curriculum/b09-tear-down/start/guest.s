// A protected guest with a secret on its second page and a message on its third, which it lends to the host.
        .equ    SECRET_PAGE, 0x40001000
        .equ    SECRET, 0x5ec4e7
        .equ    LENT_PAGE, 0x40002000
        .equ    MESSAGE, 0x600d
        .equ    MEM_SHARE, 0xc6000003           // ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID
        .equ    DOORBELL, 0x09000000            // no memory there: a store makes KVM_RUN return

        .global _start
_start:
        ldr     x1, =SECRET_PAGE
        ldr     x2, =SECRET
        str     x2, [x1]
        ldr     x1, =LENT_PAGE
        mov     x2, #MESSAGE
        str     x2, [x1]
        ldr     w0, =MEM_SHARE
        mov     x2, #0
        mov     x3, #0
        hvc     #0
        ldr     x3, =DOORBELL
        str     wzr, [x3]
1:      wfi
        b       1b
