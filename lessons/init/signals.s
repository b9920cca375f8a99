// Reading memory that may not be ours to read: SIGSEGV and SIGBUS are caught, noted, and the load is stepped over.

        .bss
        .balign 8
fault_signal:                           // 0: no fault
        .skip   8
fault_code:
        .skip   8
fault_address:
        .skip   8
        .text

// The kernel's struct sigaction: handler, flags, restorer, mask.
        .data
        .balign 8
fault_action:
        .quad   fault_handler, SA_SIGINFO | SA_RESTORER, fault_restorer, 0
        .text

install_fault_handler:
        mov     x0, #SIGSEGV
        adr     x1, fault_action
        mov     x2, #0
        mov     x3, #8                  // size of the signal mask in bytes
        syscall SYS_rt_sigaction
        mov     x0, #SIGBUS
        adr     x1, fault_action
        mov     x2, #0
        mov     x3, #8
        syscall SYS_rt_sigaction
        ret

// x0 = signal, x1 = siginfo, x2 = ucontext.
fault_handler:
        adr     x3, fault_signal
        str     x0, [x3]
        ldrsw   x4, [x1, #SIGINFO_CODE]
        str     x4, [x3, #fault_code - fault_signal]
        ldr     x4, [x1, #SIGINFO_ADDRESS]
        str     x4, [x3, #fault_address - fault_signal]
        ldr     x4, [x2, #UCONTEXT_PC]
        add     x4, x4, #4
        str     x4, [x2, #UCONTEXT_PC]
        ret

fault_restorer:
        syscall SYS_rt_sigreturn

// read_guarded: x0 = address of a word. Gives the word in x0 and the signal it raised, or 0, in x1.
read_guarded:
        adr     x2, fault_signal
        str     xzr, [x2]
        mov     x1, x0
        mov     x0, #0
        ldr     w0, [x1]                // the one load that may fault
        ldr     x1, [x2]
        ret

// put_guarded: x0 = address of a word; prints the word, or SIGSEGV(SEGV_ACCERR) and the like.
put_guarded:
        stp     x29, x30, [sp, #-16]!
        bl      read_guarded
        cbnz    x1, 1f
        bl      put_hex
        b       9f
1:      cmp     x1, #SIGBUS
        b.eq    4f
        say     "SIGSEGV("
        adr     x0, fault_code
        ldr     x0, [x0]
        cmp     x0, #1
        b.eq    2f
        cmp     x0, #2
        b.eq    3f
        bl      put_decimal
        b       8f
2:      say     "SEGV_MAPERR"
        b       8f
3:      say     "SEGV_ACCERR"
        b       8f
4:      say     "SIGBUS("
        adr     x0, fault_code
        ldr     x0, [x0]
        bl      put_decimal
8:      say     ")"
9:      ldp     x29, x30, [sp], #16
        ret
