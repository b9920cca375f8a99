// The smallest guest with something to say: it writes a greeting to an address that nothing backs, byte by byte. Each
// store leaves to the host as a KVM_EXIT_MMIO with the byte in it; after the last one WFI leaves once more.
//
// Its RAM begins at 0x40000000 and holds this at its start; it runs at EL1 with its MMU off. It can lie anywhere.

        .equ    GUEST_CONSOLE, 0x10000000

hello:  adr     x1, text
        mov     x2, #GUEST_CONSOLE
1:      ldrb    w0, [x1], #1
        cbz     w0, 2f
        strb    w0, [x2]
        b       1b
2:      wfi
        b       2b

text:   .asciz  "Hello from EL1 of a guest\n"
