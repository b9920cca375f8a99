// Numbers and structures of the arm64 Linux system call interface (include/uapi of Linux).

        .equ    SYS_dup3, 24
        .equ    SYS_fcntl, 25
        .equ    SYS_ioctl, 29
        .equ    SYS_mkdirat, 34
        .equ    SYS_mount, 40
        .equ    SYS_openat, 56
        .equ    SYS_close, 57
        .equ    SYS_pipe2, 59
        .equ    SYS_read, 63
        .equ    SYS_write, 64
        .equ    SYS_ppoll, 73
        .equ    SYS_sync, 81
        .equ    SYS_exit, 93
        .equ    SYS_exit_group, 94
        .equ    SYS_nanosleep, 101
        .equ    SYS_setitimer, 103
        .equ    SYS_ptrace, 117
        .equ    SYS_kill, 129
        .equ    SYS_rt_sigaction, 134
        .equ    SYS_rt_sigprocmask, 135
        .equ    SYS_rt_sigreturn, 139
        .equ    SYS_reboot, 142
        .equ    SYS_setsid, 157
        .equ    SYS_getpid, 172
        .equ    SYS_munmap, 215
        .equ    SYS_mremap, 216
        .equ    SYS_clone, 220
        .equ    SYS_execve, 221
        .equ    SYS_mmap, 222
        .equ    SYS_mprotect, 226
        .equ    SYS_madvise, 233
        .equ    SYS_wait4, 260
        .equ    SYS_execveat, 281
        .equ    SYS_clone3, 435
        .equ    SYS_close_range, 436

        .equ    AT_FDCWD, -100
        .equ    O_RDONLY, 0
        .equ    O_RDWR, 2
        .equ    O_NOCTTY, 0x100
        .equ    O_NONBLOCK, 0x800
        .equ    O_CLOEXEC, 0x80000

        .equ    PROT_READ, 1
        .equ    PROT_WRITE, 2
        .equ    MAP_SHARED, 1
        .equ    MAP_PRIVATE, 2
        .equ    MAP_ANONYMOUS, 0x20

        .equ    SIGBUS, 7
        .equ    SIGKILL, 9
        .equ    SIGSEGV, 11
        .equ    SIGPIPE, 13
        .equ    SIGALRM, 14
        .equ    SIGCHLD, 17
        .equ    SIG_IGN, 1
        .equ    SA_SIGINFO, 4
        .equ    SA_RESTORER, 0x04000000
        .equ    SIGINFO_CODE, 8                 // siginfo.si_code
        .equ    SIGINFO_ADDRESS, 16             // siginfo.si_addr
        .equ    UCONTEXT_PC, 440                // ucontext.uc_mcontext.pc

        .equ    TCSBRK, 0x5409                  // with argument 1: wait until all output is sent
        .equ    TIOCSCTTY, 0x540e
        .equ    TCSETS, 0x5402

        .equ    ITIMER_REAL, 0

        .equ    EPERM, 1
        .equ    ENOENT, 2
        .equ    ESRCH, 3
        .equ    EINTR, 4
        .equ    EIO, 5
        .equ    ECHILD, 10
        .equ    EAGAIN, 11
        .equ    EFAULT, 14
        .equ    EINVAL, 22
        .equ    ENOSYS, 38
        .equ    EMSGSIZE, 90

        .equ    LINUX_REBOOT_MAGIC1, 0xfee1dead
        .equ    LINUX_REBOOT_MAGIC2, 0x28121969
        .equ    LINUX_REBOOT_CMD_POWER_OFF, 0x4321fedc

// A system call; arguments are in x0-x5 already, the result or -errno comes in x0.
        .macro  syscall number
        mov     x8, #\number
        svc     #0
        .endm
