// The hypervisor has a bug. It cannot go on, and nobody below may find out what it held: it says what happened on the
// UART, on a stack of its own, and switches the machine off.

        .section .hyp.rodata
hyp_panic_text:         .asciz "\nKernel panic - not syncing: HYP panic: "
hyp_panic_exception_text: .asciz "exception at EL2"
hyp_panic_stack_text:   .asciz "stack overflow at EL2"
hyp_panic_bug_text:     .asciz "BUG"
hyp_panic_esr_text:     .asciz "\nESR_EL2 0x"
hyp_panic_elr_text:     .asciz " ELR_EL2 0x"
hyp_panic_place_text:   .asciz " (in the listing 0x"
hyp_panic_far_text:     .asciz ") FAR_EL2 0x"
hyp_panic_end_text:     .asciz "\n"

        .section .hyp.text
// hyp_bug: a branch with link or without from a place that cannot be reached. x30 = near where it was.
hyp_bug:
        mov     x20, x30
        adr     x19, hyp_panic_bug_text
        b       hyp_panic

hyp_panic_exception:
        mrs     x20, elr_el2
        adr     x19, hyp_panic_exception_text
        mrs     x0, far_el2
        ldr     x1, =HYP_STACK_GUARD
        sub     x0, x0, x1
        cmp     x0, #PAGE_SIZE
        b.hs    hyp_panic
        adr     x19, hyp_panic_stack_text

hyp_panic:                                      // x19 = why, x20 = where
        mrs     x0, tpidr_el2                   // not used otherwise: remembers that this has begun
        cbnz    x0, hyp_off                     // and went wrong itself
        mov     x0, #1
        msr     tpidr_el2, x0
        adr     x0, panic_stack_end
        mov     sp, x0
        mrs     x21, esr_el2
        mrs     x22, far_el2
        adr     x0, hyp_panic_text
        bl      hyp_puts
        mov     x0, x19
        bl      hyp_puts
        adr     x0, hyp_panic_esr_text
        mov     x1, x21
        bl      hyp_put_value
        adr     x0, hyp_panic_elr_text
        mov     x1, x20
        bl      hyp_put_value
        adr     x0, hyp_panic_place_text
        hyp_pa  x1, x20, x2
        bl      hyp_put_value
        adr     x0, hyp_panic_far_text
        mov     x1, x22
        bl      hyp_put_value
        adr     x0, hyp_panic_end_text
        bl      hyp_puts
hyp_off:
        ldr     w0, =PSCI_SYSTEM_OFF
        smc     #0
1:      wfi
        b       1b

hyp_putc:                                       // w0 = character. Uses x9 and x10.
        ldr     x9, hyp_uart
1:      ldr     w10, [x9, #UART_FR]
        tst     w10, #UART_FR_TXFF
        b.ne    1b
        str     w0, [x9, #UART_DR]
        ret

hyp_puts:                                       // x0 = text. Uses x11 too.
        frame   0
        mov     x11, x0
1:      ldrb    w0, [x11], #1
        cbz     w0, 2f
        bl      hyp_putc
        b       1b
2:      unframe 0

hyp_put_value:                                  // x0 = text, x1 = value, shown as 16 hexadecimal digits
        frame   0
        mov     x12, x1
        bl      hyp_puts
        mov     x13, #60
1:      lsr     x0, x12, x13
        and     w0, w0, #15
        cmp     w0, #10
        add     w1, w0, #'0'
        add     w0, w0, #'a' - 10
        csel    w0, w1, w0, lo
        bl      hyp_putc
        subs    x13, x13, #4
        b.pl    1b
        unframe 0
        .ltorg
