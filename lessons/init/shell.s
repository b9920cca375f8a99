// lab.init=shell: busybox's shell on the console, with job control; the machine is powered off when it ends.

        .section .rodata
shell_word:     .asciz "lab.init=shell"
busybox_path:   .asciz "/bin/busybox"
argument_sh:    .asciz "sh"
argument_install: .asciz "--install"
argument_s:     .asciz "-s"
variable_path:  .asciz "PATH=/bin:/sbin:/usr/bin:/usr/sbin"
variable_home:  .asciz "HOME=/"
variable_term:  .asciz "TERM=xterm"

        .data
        .balign 8
shell_arguments:
        .quad   argument_sh, 0
install_arguments:
        .quad   busybox_path, argument_install, argument_s, 0
environment:
        .quad   variable_path, variable_home, variable_term, 0

        .bss
terminal_path:                          // "/dev/" and the console's name
        .skip   64
        .text

// command_line_has: x0 = address of a word; x0 = 1 when the kernel command line has it.
command_line_has:
        stp     x29, x30, [sp, #-32]!
        str     x20, [sp, #16]
        mov     x20, x0
        text_address "/proc/cmdline"
        bl      read_file
        tbnz    x0, #63, 4f
        adr     x1, file_bytes
1:      mov     x2, x1                  // a word starts at x1
        mov     x3, x20
2:      ldrb    w4, [x3], #1
        ldrb    w5, [x2], #1
        cbz     w4, 3f
        cmp     w4, w5
        b.eq    2b
        // Not this word: go on after the next space.
        sub     x2, x2, #1
5:      ldrb    w5, [x2], #1
        cbz     w5, 4f
        cmp     w5, #' '
        b.ne    5b
        mov     x1, x2
        b       1b
3:      cmp     w5, #' '                // the whole word: a space, newline or the end follows
        b.hi    6f
        mov     x0, #1
        b       9f
6:      sub     x2, x2, #1
        b       5b
4:      mov     x0, #0
9:      ldr     x20, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

// run_shell: returns when the shell has ended, or cannot be started.
run_shell:
        stp     x29, x30, [sp, #-32]!
        str     x20, [sp, #16]
        adr     x0, busybox_path
        mov     x1, #O_RDONLY
        bl      open_file
        tbnz    x0, #63, 1f
        syscall SYS_close
        adr     x0, install_arguments
        bl      spawn
        bl      wait_for
        adr     x0, shell_arguments
        bl      spawn
        bl      wait_for
        b       2f
1:      begin   "shell=/bin/busybox is not in this initrd: make one with busybox in it, or boot without lab.init=shell"
        bl      end_line
2:      ldr     x20, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

// spawn: x0 = arguments for /bin/busybox; gives the child's process id or -errno.
spawn:
        stp     x29, x30, [sp, #-32]!
        str     x20, [sp, #16]
        mov     x20, x0
        mov     x0, #SIGCHLD
        mov     x1, #0
        mov     x2, #0
        mov     x3, #0
        mov     x4, #0
        syscall SYS_clone
        cbnz    x0, 1f
        bl      take_terminal
        adr     x0, busybox_path
        mov     x1, x20
        adr     x2, environment
        syscall SYS_execve
        mov     x20, x0
        begin   "shell.execve="
        mov     x0, x20
        bl      put_result
        bl      end_line
        mov     x0, #127
        syscall SYS_exit
1:      ldr     x20, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

// take_terminal: a session of its own, with the console's terminal in control of it. /dev/console itself cannot be one.
take_terminal:
        stp     x29, x30, [sp, #-32]!
        str     x20, [sp, #16]
        syscall SYS_setsid
        text_address "/sys/class/tty/console/active"
        bl      read_file
        tbnz    x0, #63, 9f
        bl      cut_line
        // With several consoles the last is /dev/console.
        adr     x1, file_bytes
        mov     x2, x1
1:      ldrb    w3, [x1], #1
        cbz     w3, 2f
        cmp     w3, #' '
        b.ne    1b
        mov     x2, x1
        b       1b
2:      adr     x4, terminal_path
        ldr     x5, =0x2f7665642f       // "/dev/", first character lowest
        str     x5, [x4]
        mov     x6, #5
3:      ldrb    w3, [x2], #1
        strb    w3, [x4, x6]
        cbz     w3, 4f
        add     x6, x6, #1
        cmp     x6, #63
        b.lo    3b
        strb    wzr, [x4, x6]
4:      mov     x0, x4
        mov     x1, #O_RDWR
        bl      open_file
        tbnz    x0, #63, 9f
        mov     x20, x0
        mov     x1, #TIOCSCTTY
        mov     x2, #1
        syscall SYS_ioctl
        mov     x0, x20
        mov     x1, #0
        mov     x2, #0
        syscall SYS_dup3
        mov     x0, x20
        mov     x1, #1
        mov     x2, #0
        syscall SYS_dup3
        mov     x0, x20
        mov     x1, #2
        mov     x2, #0
        syscall SYS_dup3
9:      ldr     x20, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

// wait_for: x0 = process id. Reaps every child until that one has ended.
wait_for:
        stp     x29, x30, [sp, #-32]!
        str     x20, [sp, #16]
        mov     x20, x0
        tbnz    x0, #63, 2f
1:      mov     x0, #-1
        mov     x1, #0
        mov     x2, #0
        mov     x3, #0
        syscall SYS_wait4
        cmn     x0, #EINTR
        b.eq    1b
        tbnz    x0, #63, 2f
        cmp     x0, x20
        b.ne    1b
2:      ldr     x20, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret
