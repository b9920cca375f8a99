// Time: the physical counter, one comparator for two uses (ITIMER_REAL and sleeping), and the calls about time.

timer_init:
        msr     cntp_ctl_el0, xzr
        ret

// counter: x0 = ticks since the machine started.
counter:
        isb
        mrs     x0, cntpct_el0
        ret

// timer_program: set the comparator for the next thing that is due for any process.
timer_program:
        adr     x1, processes
        mov     x2, #0
        mov     x0, #-1
1:      ldr     x3, [x1, #process.state]
        cmp     x3, #PROCESS_ALIVE
        b.ne    3f
        ldr     x3, [x1, #process.image]
        add     x3, x3, #init_task - process_state
        ldr     x4, current
        adr     x5, init_task
        cmp     x4, x2
        csel    x3, x5, x3, eq
        ldr     x4, [x3, #task_struct.timer_at]
        ldr     x5, [x3, #task_struct.sleep_until]
        sub     x4, x4, #1                      // 0, for never, is the latest so
        sub     x5, x5, #1
        cmp     x4, x0
        csel    x0, x4, x0, lo
        cmp     x5, x0
        csel    x0, x5, x0, lo
3:      add     x1, x1, #process.sizeof
        add     x2, x2, #1
        cmp     x2, #MOST_PROCESSES
        b.lo    1b
        adds    x0, x0, #1
        b.eq    4f
        msr     cntp_cval_el0, x0
        mov     x0, #1
        msr     cntp_ctl_el0, x0
        isb
        ret
4:      msr     cntp_ctl_el0, xzr
        isb
        ret

timer_interrupt:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        bl      counter
        adr     x1, init_task
        ldr     x2, [x1, #task_struct.timer_at]
        cbz     x2, 2f
        cmp     x0, x2
        b.lo    2f
        ldr     x3, [x1, #task_struct.pending]
        orr     x3, x3, #1 << (SIGALRM - 1)
        str     x3, [x1, #task_struct.pending]
        ldr     x3, [x1, #task_struct.timer_interval]
        add     x4, x0, x3
        cmp     x3, #0
        csel    x4, xzr, x4, eq
        str     x4, [x1, #task_struct.timer_at]
2:      ldr     x2, [x1, #task_struct.sleep_until]
        cmp     x0, x2
        b.lo    3f
        str     xzr, [x1, #task_struct.sleep_until]
3:      bl      timer_program
        ldp     x29, x30, [sp], #16
        ret

// ticks_of: x0 = seconds, x1 = parts of a second, x2 = how many parts a second has; x0 = counter ticks, rounded up.
ticks_of:
        mrs     x3, cntfrq_el0
        mul     x0, x0, x3
        mul     x1, x1, x3
        add     x1, x1, x2
        sub     x1, x1, #1
        udiv    x1, x1, x2
        add     x0, x0, x1
        ret

// sys_setitimer: x0 = which (ITIMER_REAL only), x1 = struct itimerval, x2 = old value or 0.
sys_setitimer:
        enter
        sub     sp, sp, #32
        cbnz    x0, 8f
        mov     x20, x2
        mov     x0, sp
        mov     x2, #32
        bl      copy_from_user
        cbnz    x0, 9f
        ldr     x2, =1000000
        ldp     x0, x1, [sp]
        bl      ticks_of
        mov     x21, x0
        ldr     x2, =1000000
        ldp     x0, x1, [sp, #16]
        bl      ticks_of
        mov     x22, x0
        cbz     x22, 1f
        bl      counter
        add     x22, x22, x0
1:      adr     x1, init_task
        str     x22, [x1, #task_struct.timer_at]
        str     x21, [x1, #task_struct.timer_interval]
        bl      timer_program
        mov     x0, #0
        cbz     x20, 9f
        stp     xzr, xzr, [sp]
        stp     xzr, xzr, [sp, #16]
        mov     x0, x20
        mov     x1, sp
        mov     x2, #32
        bl      copy_to_user
        b       9f
8:      mov     x0, #-EINVAL
9:      add     sp, sp, #32
        leave

// sys_nanosleep: x0 = struct timespec.
sys_nanosleep:
        enter
        sub     sp, sp, #16
        mov     x1, x0
        mov     x0, sp
        mov     x2, #16
        bl      copy_from_user
        cbnz    x0, 9f
        ldr     x2, =1000000000
        ldp     x0, x1, [sp]
        cmp     x1, x2
        b.hs    8f
        bl      ticks_of
        mov     x19, x0
        bl      counter
        add     x19, x19, x0
        adr     x1, init_task
        str     x19, [x1, #task_struct.sleep_until]
        bl      timer_program
1:      bl      counter
        cmp     x0, x19
        b.hs    2f
        bl      signal_pending
        cbnz    x0, 3f
        bl      wait_for_interrupt
        b       1b
3:      mov     x20, #-EINTR
        b       4f
2:      mov     x20, #0
4:      adr     x1, init_task
        str     xzr, [x1, #task_struct.sleep_until]
        bl      timer_program
        mov     x0, x20
        b       9f
8:      mov     x0, #-EINVAL
9:      add     sp, sp, #16
        leave

// sys_clock_gettime: every clock counts from the start of the machine. x1 = struct timespec.
sys_clock_gettime:
        enter
        sub     sp, sp, #16
        mov     x19, x1
        bl      counter
        mrs     x1, cntfrq_el0
        udiv    x2, x0, x1
        msub    x3, x2, x1, x0
        ldr     x4, =1000000000
        mul     x3, x3, x4
        udiv    x3, x3, x1
        stp     x2, x3, [sp]
        mov     x0, x19
        mov     x1, sp
        mov     x2, #16
        bl      copy_to_user
        add     sp, sp, #16
        leave
