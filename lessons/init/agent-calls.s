// hello and syscall: who the agent is, and any system call with buffers and a time limit.

        // Request of a system call.
        .equ    CALL_NUMBER, FRAME_PAYLOAD
        .equ    CALL_LIMIT, FRAME_PAYLOAD + 4
        .equ    CALL_IN, FRAME_PAYLOAD + 8              // bytes in
        .equ    CALL_OUT_OFFSET, FRAME_PAYLOAD + 12
        .equ    CALL_OUT, FRAME_PAYLOAD + 16            // bytes out
        .equ    CALL_ARGUMENTS, FRAME_PAYLOAD + 24
        .equ    CALL_DATA, FRAME_PAYLOAD + 72
        // Its answer.
        .equ    RESULT, FRAME_PAYLOAD
        .equ    RESULT_DATA, FRAME_PAYLOAD + 8

        .equ    DEFAULT_LIMIT, 10000000                 // microseconds
        .equ    LIMIT_AGAIN, 1000                       // and then every so many, in case the first came before the call

        .bss
        .balign 8
limit:  .skip   32                      // struct itimerval: interval s, us; value s, us
        .text

// The timer's signal does nothing itself: it makes a system call that waits return -EINTR.
agent_alarm_handler:
        ret

// arm_limit: x0 = microseconds.  disarm_limit.
arm_limit:
        place   x1, limit
        ldr     w2, =1000000
        udiv    x3, x0, x2
        msub    x4, x3, x2, x0
        mov     x5, #LIMIT_AGAIN
        stp     xzr, x5, [x1]
        stp     x3, x4, [x1, #16]
        b       1f
disarm_limit:
        place   x1, limit
        stp     xzr, xzr, [x1]
        stp     xzr, xzr, [x1, #16]
1:      mov     x0, #ITIMER_REAL
        mov     x2, #0
        syscall SYS_setitimer
        ret

operation_hello:
        mov     w0, #AGENT_VERSION
        str     w0, [x20, #FRAME_PAYLOAD]
        syscall SYS_getpid
        str     w0, [x20, #FRAME_PAYLOAD + 4]
        mov     x0, #4096
        load_variable x1, scratch_address
        stp     x0, x1, [x20, #FRAME_PAYLOAD + 8]
        ldr     x0, =SCRATCH_BYTES
        str     x0, [x20, #FRAME_PAYLOAD + 24]
        mov     x0, #0
        mov     x1, #32
        ret

operation_syscall:
        stp     x29, x30, [sp, #-16]!
        mov     x0, #EINVAL
        cmp     w22, #CALL_DATA
        b.lo    9f
        ldr     w24, [x19, #CALL_IN]
        sub     w9, w22, #CALL_DATA
        cmp     w9, w24
        b.ne    9f
        ldr     w25, [x19, #CALL_OUT_OFFSET]
        ldr     w26, [x19, #CALL_OUT]
        add     x9, x25, x26
        ldr     x10, =SCRATCH_BYTES
        cmp     x9, x10
        b.hi    9f
        mov     x0, #EMSGSIZE
        mov     w9, #MOST_ANSWER - RESULT_DATA
        cmp     w26, w9
        b.hi    9f
        bl      call_allowed
        cbnz    x0, 9f

        load_variable x23, scratch_address
        bl      clear_fault
        mov     x0, x23
        add     x1, x19, #CALL_DATA
        mov     x2, x24
        bl      copy_any
        bl      fault_found
        cbnz    x0, 8f

        ldr     w0, [x19, #CALL_LIMIT]
        ldr     w1, =DEFAULT_LIMIT
        cmp     w0, #0
        csel    w0, w1, w0, eq
        bl      arm_limit
        ldp     x0, x1, [x19, #CALL_ARGUMENTS]
        ldp     x2, x3, [x19, #CALL_ARGUMENTS + 16]
        ldp     x4, x5, [x19, #CALL_ARGUMENTS + 32]
        ldr     w8, [x19, #CALL_NUMBER]
        svc     #0
        str     x0, [x20, #RESULT]
        bl      disarm_limit

        bl      clear_fault
        add     x0, x20, #RESULT_DATA
        add     x1, x23, x25
        mov     x2, x26
        bl      copy_any
        bl      fault_found
        cbnz    x0, 8f
        mov     x0, #0
        add     x1, x26, #RESULT_DATA - FRAME_PAYLOAD
        b       10f
8:      mov     x0, #EFAULT             // scratch memory is gone, or a guest has it
9:      mov     x1, #0
10:     ldp     x29, x30, [sp], #16
        ret

// Calls that end the agent or pull the ground from under it. A forked process may exit.
        .section .rodata
        .balign 4
forbidden_calls:
        .word   SYS_execve, SYS_execveat, SYS_clone, SYS_clone3, SYS_rt_sigreturn, SYS_rt_sigaction
        .word   SYS_rt_sigprocmask, SYS_setitimer, SYS_close_range, SYS_reboot, 0
// The first argument of these, and the second of dup3, is a descriptor.
descriptor_calls:
        .word   SYS_close, SYS_read, SYS_write, SYS_ioctl, SYS_fcntl, SYS_dup3, 0
// The first two arguments of these are an address and a size.
range_calls:
        .word   SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, 0
        .text

// is_among: w0 = number, x1 = list that ends with 0; x2 = 1 when it is there. Keeps x0.
is_among:
1:      ldr     w2, [x1], #4
        cbz     w2, 2f
        cmp     w2, w0
        b.ne    1b
        mov     x2, #1
2:      ret

// call_allowed: x0 = 0, or EPERM.
call_allowed:
        stp     x29, x30, [sp, #-16]!
        ldr     w0, [x19, #CALL_NUMBER]
        place   x1, forbidden_calls
        bl      is_among
        cbnz    x2, 8f
        cmp     w0, #SYS_exit
        b.eq    4f
        cmp     w0, #SYS_exit_group
        b.ne    1f
4:      load_variable x1, own_process
        cbz     x1, 8f

        // Traced, it would stop for good at the first signal.
1:      cmp     w0, #SYS_ptrace
        b.ne    5f
        ldr     x3, [x19, #CALL_ARGUMENTS]
        cbz     x3, 8f                  // PTRACE_TRACEME
5:      place   x1, descriptor_calls
        bl      is_among
        cbz     x2, 2f
        ldr     w3, [x19, #CALL_ARGUMENTS]
        sub     w3, w3, #OWN_FDS
        cmp     w3, #OWN_FDS_END - OWN_FDS
        b.lo    8f
        cmp     w0, #SYS_dup3
        b.ne    7f
        ldr     w3, [x19, #CALL_ARGUMENTS + 8]
        sub     w3, w3, #OWN_FDS
        cmp     w3, #OWN_FDS_END - OWN_FDS
        b.lo    8f
        b       7f

2:      place   x1, range_calls
        bl      is_among
        cbnz    x2, 3f
        cmp     w0, #SYS_mmap
        b.ne    7f
        ldr     w3, [x19, #CALL_ARGUMENTS + 24]
        tbz     w3, #4, 7f              // MAP_FIXED
3:      ldp     x0, x1, [x19, #CALL_ARGUMENTS]
        bl      in_image
        cbnz    x0, 8f

7:      mov     x0, #0
        b       9f
8:      mov     x0, #EPERM
9:      ldp     x29, x30, [sp], #16
        ret
