// Signals: actions, the frame on the process's stack, the way back. Layouts are those of arm64 Linux.

        .equ    NSIG, 64
        .equ    SIG_IGN, 1
        .equ    SA_NODEFER, 0x40000000
        .equ    SI_KERNEL, 0x80
        // Signals that a fault raises: nothing can go on without a handler for them.
        .equ    FAULT_SIGNALS, (1 << (SIGILL - 1)) | (1 << (SIGTRAP - 1)) | (1 << (SIGBUS - 1)) | (1 << (SIGSEGV - 1))

        struct  sigaction
        member  sigaction.handler
        member  sigaction.flags
        member  sigaction.restorer
        member  sigaction.mask
        endstruct sigaction

        struct  rt_sigframe
        member  rt_sigframe.si_signo, 4
        member  rt_sigframe.si_errno, 4
        member  rt_sigframe.si_code, 8
        member  rt_sigframe.si_addr, 112
        member  rt_sigframe.ucontext, 40        // siginfo has 128 bytes; flags, link and stack of the ucontext
        member  rt_sigframe.uc_sigmask, 136
        member  rt_sigframe.fault_address       // mcontext, at 176 of the ucontext
        member  rt_sigframe.regs, 31 * 8
        member  rt_sigframe.sp
        member  rt_sigframe.pc
        member  rt_sigframe.pstate, 16
        member  rt_sigframe.end, 16             // extension records: none
        member  rt_sigframe.record, 16          // frame record, so that a debugger gets past the handler
        endstruct rt_sigframe

        .bss
        .balign 16
sigframe:
        .skip   rt_sigframe.sizeof
        .text

// signal_pending: x0 = 1 when a signal waits that is not blocked.
signal_pending:
        adr     x1, init_task
        ldp     x0, x1, [x1, #task_struct.pending]
        bics    x0, x0, x1
        cset    x0, ne
        ret

// raise_fault_signal: x0 = signal, x1 = si_code, x2 = si_addr.
raise_fault_signal:
        adr     x3, init_task
        stp     x1, x2, [x3, #task_struct.fault_code]
        mov     x4, #1
        sub     x5, x0, #1
        lsl     x4, x4, x5
        ldp     x5, x6, [x3, #task_struct.pending]
        orr     x5, x5, x4
        bic     x6, x6, x4                      // it cannot wait
        stp     x5, x6, [x3, #task_struct.pending]
        ret

// deliver_signals: before each return to EL0. One handler is set up; others follow when it returns.
// x19 = signal, x20 = its action, x21 = its bit, x22 = pt_regs
deliver_signals:
        enter
        adr     x1, init_task
        ldp     x2, x3, [x1, #task_struct.pending]
        bics    x4, x2, x3
        b.eq    9f
        rbit    x19, x4
        clz     x19, x19
        mov     x21, #1
        lsl     x21, x21, x19
        add     x19, x19, #1
        bic     x2, x2, x21
        str     x2, [x1, #task_struct.pending]
        adr     x20, sigactions
        add     x20, x20, x19, lsl #5
        ldr     x4, [x20, #sigaction.handler]
        cmp     x4, #SIG_IGN
        b.hi    1f
        // Nobody handles it: the first process ignores what does not leave it stuck, others end, but for SIGCHLD.
        ldr     x5, =FAULT_SIGNALS
        tst     x21, x5
        b.ne    8f
        cmp     x4, #SIG_IGN
        b.eq    5f
        cmp     x19, #SIGCHLD
        b.eq    5f
        ldr     x5, current
        mov     x0, x19
        cbnz    x5, do_exit
5:      leave

1:      user_regs x22
        adr     x5, sigframe
        mov     x6, #rt_sigframe.sizeof
2:      stp     xzr, xzr, [x5], #16
        subs    x6, x6, #16
        b.hi    2b
        adr     x5, sigframe
        str     w19, [x5, #rt_sigframe.si_signo]
        mov     x6, #SI_KERNEL
        mov     x7, #0
        ldr     x4, =FAULT_SIGNALS
        tst     x21, x4
        b.eq    3f
        ldp     x6, x7, [x1, #task_struct.fault_code]
3:      str     w6, [x5, #rt_sigframe.si_code]
        str     x7, [x5, #rt_sigframe.si_addr]
        str     x7, [x5, #rt_sigframe.fault_address]
        str     x3, [x5, #rt_sigframe.uc_sigmask]
        add     x0, x5, #rt_sigframe.regs
        mov     x1, x22
        mov     x2, #34 * 8                     // x0-x30, sp, pc, pstate
        bl      copy_bytes
        adr     x5, sigframe
        ldr     x6, [x22, #pt_regs.regs + 29 * 8]
        ldr     x7, [x22, #pt_regs.x30]
        str     x6, [x5, #rt_sigframe.record]
        str     x7, [x5, #rt_sigframe.record + 8]
        ldr     x23, [x22, #pt_regs.sp]
        sub     x23, x23, #rt_sigframe.sizeof
        and     x23, x23, #~15
        mov     x0, x23
        mov     x1, x5
        mov     x2, #rt_sigframe.sizeof
        bl      copy_to_user
        cbnz    x0, 8f

        ldr     x0, [x20, #sigaction.handler]
        stp     x23, x0, [x22, #pt_regs.sp]
        str     x19, [x22]
        add     x1, x23, #rt_sigframe.si_signo
        add     x2, x23, #rt_sigframe.ucontext
        stp     x1, x2, [x22, #8]
        add     x1, x23, #rt_sigframe.record
        ldr     x2, [x20, #sigaction.restorer]
        str     x1, [x22, #pt_regs.regs + 29 * 8]
        str     x2, [x22, #pt_regs.x30]
        adr     x1, init_task
        ldr     x2, [x1, #task_struct.blocked]
        ldr     x3, [x20, #sigaction.mask]
        orr     x2, x2, x3
        ldr     x3, [x20, #sigaction.flags]
        tbnz    x3, #30, 4f                     // SA_NODEFER
        orr     x2, x2, x21
4:      str     x2, [x1, #task_struct.blocked]
9:      leave
8:      ldr     x1, current
        mov     x0, x19
        cbnz    x1, do_exit
        print   "init got a signal that it does not handle: "
        adr     x1, sigframe
        mov     x0, x19
        bl      decimal
        strb    wzr, [x0]
        adr     x0, sigframe
        bl      printk
        print   "\n"
        b       init_exits

// sys_rt_sigreturn: everything as it was when the handler was called.
sys_rt_sigreturn:
        enter
        user_regs x22
        ldr     x1, [x22, #pt_regs.sp]
        adr     x0, sigframe
        mov     x2, #rt_sigframe.sizeof
        bl      copy_from_user
        cbnz    x0, 8f
        adr     x1, sigframe
        adr     x2, init_task
        ldr     x3, [x1, #rt_sigframe.uc_sigmask]
        str     x3, [x2, #task_struct.blocked]
        add     x1, x1, #rt_sigframe.regs
        mov     x0, x22
        mov     x2, #34 * 8
        bl      copy_bytes
        ldr     x1, [x22, #pt_regs.pstate]
        and     x1, x1, #0xf0000000             // the flags; the rest is the kernel's
        str     x1, [x22, #pt_regs.pstate]
        ldr     x0, [x22]                       // stays what it is
        leave
8:      mov     x0, #SIGSEGV
        mov     x1, #SEGV_MAPERR
        ldr     x2, [x22, #pt_regs.sp]
        bl      raise_fault_signal
        leave

// sys_rt_sigaction: x0 = signal, x1 = new action or 0, x2 = where the old one goes, or 0, x3 = bytes of a mask.
sys_rt_sigaction:
        enter
        cmp     x3, #8
        b.ne    8f
        sub     x3, x0, #1
        cmp     x3, #NSIG
        b.hs    8f
        mov     x19, x0
        mov     x20, x1
        adr     x21, sigactions
        add     x21, x21, x19, lsl #5
        cbz     x2, 1f
        mov     x0, x2
        mov     x1, x21
        mov     x2, #sigaction.sizeof
        bl      copy_to_user
        cbnz    x0, 9f
1:      mov     x0, #0
        cbz     x20, 9f
        cmp     x19, #SIGKILL
        b.eq    8f
        mov     x0, x21
        mov     x1, x20
        mov     x2, #sigaction.sizeof
        bl      copy_from_user
9:      leave
8:      mov     x0, #-EINVAL
        leave

// sys_rt_sigprocmask: x0 = SIG_BLOCK 0, SIG_UNBLOCK 1, SIG_SETMASK 2; x1 = set or 0, x2 = where the old one goes, or 0.
sys_rt_sigprocmask:
        enter
        sub     sp, sp, #16
        mov     x19, x0
        mov     x20, x1
        adr     x21, init_task
        cbz     x2, 1f
        mov     x0, x2
        add     x1, x21, #task_struct.blocked
        mov     x2, #8
        bl      copy_to_user
        cbnz    x0, 9f
1:      mov     x0, #0
        cbz     x20, 9f
        mov     x0, sp
        mov     x1, x20
        mov     x2, #8
        bl      copy_from_user
        cbnz    x0, 9f
        ldr     x1, [sp]
        ldr     x2, [x21, #task_struct.blocked]
        cmp     x19, #1
        orr     x3, x2, x1
        bic     x4, x2, x1
        csel    x1, x1, x4, hi
        csel    x1, x3, x1, lo
        cmp     x19, #2
        b.hi    8f
        str     x1, [x21, #task_struct.blocked]
        b       9f
8:      mov     x0, #-EINVAL
9:      add     sp, sp, #16
        leave
