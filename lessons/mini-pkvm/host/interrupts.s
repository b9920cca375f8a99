// GICv3: three interrupts matter, the timer's and the UARTs'. Nothing is preempted: see exceptions.s.

        .equ    GICD_CTLR, 0x0000
        .equ    GICD_CTLR_ENABLE, 0x12          // ARE, group 1
        .equ    GICD_IGROUPR, 0x0080
        .equ    GICD_ISENABLER, 0x0100
        .equ    GICD_IROUTER, 0x6000
        .equ    GICR_WAKER, 0x0014
        .equ    GICR_SGI_BASE, 0x10000
        .equ    INTID_TIMER, 30                 // PPI of the EL1 physical timer
        .equ    INTID_NONE, 1020                // and up: nothing is pending

interrupts_init:
        enter
        ldr     x19, gic_distributor
        ldr     x20, gic_redistributor
        cbz     x20, 9f
        mov     w1, #GICD_CTLR_ENABLE
        str     w1, [x19, #GICD_CTLR]
        // Wake the redistributor: clear ProcessorSleep, wait until ChildrenAsleep is clear.
        str     wzr, [x20, #GICR_WAKER]
1:      ldr     w1, [x20, #GICR_WAKER]
        tbnz    w1, #2, 1b
        add     x20, x20, #GICR_SGI_BASE
        mov     w1, #-1
        str     w1, [x20, #GICD_IGROUPR]
        mov     w1, #1 << INTID_TIMER
        str     w1, [x20, #GICD_ISENABLER]
        ldr     x1, console_uart + uart.intid
        bl      enable_spi
        ldr     x1, second_uart + uart.intid
        bl      enable_spi
        mov     x1, #0xff
        msr     icc_pmr_el1, x1
        mov     x1, #1
        msr     icc_igrpen1_el1, x1
        isb
9:      leave

// enable_spi: x1 = INTID of a device, 0 for none; x19 = distributor.
enable_spi:
        cbz     x1, 1f
        lsr     x2, x1, #5                      // word of the bit arrays
        lsl     x2, x2, #2
        mov     w3, #1
        lsl     w3, w3, w1
        add     x4, x19, x2
        ldr     w5, [x4, #GICD_IGROUPR]
        orr     w5, w5, w3
        str     w5, [x4, #GICD_IGROUPR]
        mov     x5, #GICD_IROUTER
        add     x5, x5, x1, lsl #3
        str     xzr, [x19, x5]                  // to the one CPU, affinity 0.0.0.0
        str     w3, [x4, #GICD_ISENABLER]
1:      ret

// handle_interrupts: all that are pending.
handle_interrupts:
        enter
1:      mrs     x19, icc_iar1_el1
        dsb     sy
        cmp     x19, #INTID_NONE
        b.hs    9f
        cmp     x19, #INTID_TIMER
        b.ne    2f
        bl      timer_interrupt
        b       3f
2:      adr     x2, console_uart
        bl      uart_interrupt
        adr     x2, second_uart
        bl      uart_interrupt
3:      msr     icc_eoir1_el1, x19
        isb
        b       1b
9:      leave

// uart_interrupt: x2 = struct uart, x19 = INTID. Whoever waits looks for himself, and asks for the interrupt again when
// he needs it.
uart_interrupt:
        ldp     x0, x1, [x2]
        cmp     x19, x1
        b.ne    1f
        str     wzr, [x0, #UARTIMSC]
1:      ret

// wait_for_interrupt: let others go on; when nobody had anything to do, sleep until an interrupt is pending, and handle
// it. The masks of PSTATE do not keep WFI asleep.
wait_for_interrupt:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        adr     x1, waiting
        ldr     x2, [x1]
        add     x2, x2, #1
        str     x2, [x1]
        ldr     x3, alive
        cmp     x2, x3
        b.hs    1f
        bl      schedule
        b       2f
1:      str     xzr, [x1]
        dsb     sy
        wfi
        bl      handle_interrupts
2:      ldp     x29, x30, [sp], #16
        ret
