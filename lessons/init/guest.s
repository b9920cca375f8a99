// What runs inside the virtual machine, at EL1 with its MMU off. Copied to GUEST_BASE; position-independent.

        .section .rodata
        .balign 4
guest_code:
        ldr     w0, 2f                  // GUEST_VALUE
        mov     x1, #GUEST_BASE
        add     x1, x1, #GUEST_DATA
        str     w0, [x1]
        dsb     sy
        ldr     w2, [x1]                // what the guest itself sees there
        mov     x3, #GUEST_MMIO
        str     w2, [x3]                // leaves to the host
1:      wfi                             // not reached: the host does not run it again
        b       1b
2:      .word   GUEST_VALUE
guest_code_end:
        .text
