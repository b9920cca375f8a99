// EL1's vectors, and the way into the kernel and out of it.
//
// The kernel itself runs with interrupts masked: they are taken while EL0 runs, and looked for where it waits. So only
// two kinds of exception come from EL1: a load or store that faulted, and a mistake.

        .equ    ESR_EC_PC_ALIGN, 0x22
        .equ    ESR_EC_SP_ALIGN, 0x26
        .equ    ESR_EC_BRK64, 0x3c

// Save the registers as struct pt_regs on the kernel's stack.
        .macro  vector handler
        .balign 128
        sub     sp, sp, #pt_regs.sizeof
        stp     x0, x1, [sp, #16 * 0]
        stp     x2, x3, [sp, #16 * 1]
        stp     x4, x5, [sp, #16 * 2]
        stp     x6, x7, [sp, #16 * 3]
        stp     x8, x9, [sp, #16 * 4]
        stp     x10, x11, [sp, #16 * 5]
        stp     x12, x13, [sp, #16 * 6]
        stp     x14, x15, [sp, #16 * 7]
        stp     x16, x17, [sp, #16 * 8]
        stp     x18, x19, [sp, #16 * 9]
        stp     x20, x21, [sp, #16 * 10]
        stp     x22, x23, [sp, #16 * 11]
        stp     x24, x25, [sp, #16 * 12]
        stp     x26, x27, [sp, #16 * 13]
        stp     x28, x29, [sp, #16 * 14]
        b       \handler
        .endm

        .balign 2048
vectors:
        vector  el1_unexpected                  // EL1 with SP_EL0: not used
        vector  el1_unexpected
        vector  el1_unexpected
        vector  el1_unexpected
        vector  el1_sync                        // EL1
        vector  el1_unexpected
        vector  el1_unexpected
        vector  el1_unexpected
        vector  el0_sync                        // EL0, 64-bit
        vector  el0_irq
        vector  el0_unexpected
        vector  el0_unexpected
        vector  el0_unexpected                  // EL0, 32-bit: there is none
        vector  el0_unexpected
        vector  el0_unexpected
        vector  el0_unexpected
        .balign 128

// The rest of the entry: what the vector had no room for. x29 becomes a frame record that ends the call chain.
        .macro  entry_from level
        mrs     x0, elr_el1
        mrs     x1, spsr_el1
        .if     \level == 0
        mrs     x2, sp_el0
        mov     x3, #FRAME_META_FINAL
        .else
        add     x2, sp, #pt_regs.sizeof
        mov     x3, #FRAME_META_PT_REGS
        .endif
        stp     x30, x2, [sp, #pt_regs.x30]
        stp     x0, x1, [sp, #pt_regs.pc]
        mov     x2, #-1
        stp     x2, xzr, [sp, #pt_regs.syscallno]
        stp     xzr, x3, [sp, #pt_regs.stackframe + 8]
        add     x29, sp, #pt_regs.stackframe
        .endm

        .macro  exit_to level
        ldp     x0, x1, [sp, #pt_regs.pc]
        msr     elr_el1, x0
        msr     spsr_el1, x1
        ldp     x30, x2, [sp, #pt_regs.x30]
        .if     \level == 0
        msr     sp_el0, x2
        .endif
        ldp     x28, x29, [sp, #16 * 14]
        ldp     x26, x27, [sp, #16 * 13]
        ldp     x24, x25, [sp, #16 * 12]
        ldp     x22, x23, [sp, #16 * 11]
        ldp     x20, x21, [sp, #16 * 10]
        ldp     x18, x19, [sp, #16 * 9]
        ldp     x16, x17, [sp, #16 * 8]
        ldp     x14, x15, [sp, #16 * 7]
        ldp     x12, x13, [sp, #16 * 6]
        ldp     x10, x11, [sp, #16 * 5]
        ldp     x8, x9, [sp, #16 * 4]
        ldp     x6, x7, [sp, #16 * 3]
        ldp     x4, x5, [sp, #16 * 2]
        ldp     x2, x3, [sp, #16 * 1]
        ldp     x0, x1, [sp, #16 * 0]
        add     sp, sp, #pt_regs.sizeof
        eret
        .endm

// The saved registers of the process: always at the same place.
        .macro  user_regs register
        adr     \register, init_stack_top - pt_regs.sizeof
        .endm

el0_sync:
        entry_from 0
        mrs     x0, esr_el1
        lsr     x1, x0, #26
        cmp     x1, #ESR_EC_SVC64
        b.eq    el0_svc
        mrs     x2, far_el1
        cmp     x1, #ESR_EC_DABT_LOW
        b.eq    1f
        cmp     x1, #ESR_EC_IABT_LOW
        b.eq    1f
        mov     x3, #SIGILL
        mov     x4, #1                          // ILL_ILLOPC, TRAP_BRKPT, BUS_ADRALN
        cmp     x1, #ESR_EC_BRK64
        mov     x5, #SIGTRAP
        csel    x3, x5, x3, eq
        mov     x5, #SIGBUS
        cmp     x1, #ESR_EC_PC_ALIGN
        csel    x3, x5, x3, eq
        cmp     x1, #ESR_EC_SP_ALIGN
        csel    x3, x5, x3, eq
        ldr     x2, [sp, #pt_regs.pc]
        mov     x0, x3
        mov     x1, x4
        bl      raise_fault_signal
        b       ret_to_user
1:      mov     x1, x0
        mov     x0, x2
        bl      do_user_abort
        b       ret_to_user

el0_svc:
        ldr     x8, [sp, #pt_regs.regs + 8 * 8]
        str     x8, [sp, #pt_regs.syscallno]
        ldp     x0, x1, [sp, #16 * 0]
        ldp     x2, x3, [sp, #16 * 1]
        ldp     x4, x5, [sp, #16 * 2]
        bl      invoke_syscall
        str     x0, [sp, #pt_regs.regs]
        b       ret_to_user

el0_irq:
        entry_from 0
        bl      handle_interrupts
        bl      schedule
        // and to the process, by way of its signals

// ret_to_user: also how the process runs for the first time.
ret_to_user:
        adr     x0, init_stack_top - pt_regs.sizeof
        mov     sp, x0
        adr     x0, waiting
        str     xzr, [x0]
        bl      deliver_signals
        exit_to 0

el0_unexpected:
        entry_from 0
        adr     x0, unexpected_el0
        b       panic

el1_sync:
        entry_from 1
        mrs     x1, esr_el1
        lsr     x2, x1, #26
        cmp     x2, #ESR_EC_DABT_CUR
        b.ne    1f
        mrs     x0, far_el1
        mov     x2, sp
        bl      do_kernel_abort
        cbnz    x0, 2f
        exit_to 1
1:      b       el1_mistake
2:      b       el1_mistake

el1_unexpected:
        entry_from 1
// Say where: the addresses are those of the listing, whatever the kernel's virtual addresses are.
el1_mistake:
        print   "Internal error at "
        ldr     x0, [sp, #pt_regs.pc]
        pa_of   x0, x0
        bl      print_hex
        print   ", ESR "
        mrs     x0, esr_el1
        bl      print_hex
        print   ", FAR "
        mrs     x0, far_el1
        bl      print_hex
        print   "\n"
        adr     x0, unexpected_el1
        b       panic

        .section .rodata
unexpected_el0: .asciz "unexpected exception from EL0"
unexpected_el1: .asciz "unexpected exception from EL1"
        .text
