// System calls about the process and the machine as a whole.

        .equ    LINUX_REBOOT_MAGIC1, 0xfee1dead
        .equ    LINUX_REBOOT_CMD_RESTART, 0x01234567
        .equ    LINUX_REBOOT_CMD_POWER_OFF, 0x4321fedc
        .equ    RLIMIT_NOFILE, 7
        .equ    RLIMIT_MEMLOCK, 8
        .equ    RLIMIT_NLIMITS, 16
        .equ    SYSLOG_ACTION_READ_ALL, 3
        .equ    SYSLOG_ACTION_SIZE_BUFFER, 10
        .equ    UTSNAME_FIELD, 65

// sys_reboot: x0, x1 = magic numbers, x2 = command.
sys_reboot:
        enter
        mov     w19, w2
        ldr     w1, =LINUX_REBOOT_MAGIC1
        cmp     w0, w1
        b.ne    8f
        ldr     w1, =LINUX_REBOOT_CMD_POWER_OFF
        cmp     w19, w1
        b.eq    1f
        ldr     w1, =LINUX_REBOOT_CMD_RESTART
        cmp     w19, w1
        b.ne    8f
        bl      kvm_reboot
        print   "reboot: Restarting system\n"
        bl      machine_restart
1:      bl      kvm_reboot
        print   "reboot: Power down\n"
        bl      power_off
8:      mov     x0, #-EINVAL
        leave

// sys_prlimit64: x0 = pid, x1 = resource, x2 = new struct rlimit64 or 0, x3 = where the old one goes, or 0.
// RLIMIT_MEMLOCK bounds the pages of protected guests; the others are told, not enforced.
sys_prlimit64:
        enter
        sub     sp, sp, #16
        cmp     x1, #RLIMIT_NLIMITS
        b.hs    8f
        mov     x19, x1
        mov     x20, x2
        mov     x21, x3
        adr     x22, init_task
        mov     x1, #-1                         // RLIM_INFINITY
        cmp     x19, #RLIMIT_NOFILE
        mov     x2, #MOST_FILES
        csel    x1, x2, x1, eq
        mov     x2, x1
        cmp     x19, #RLIMIT_MEMLOCK
        b.ne    1f
        ldp     x1, x2, [x22, #task_struct.memlock_limit]
1:      stp     x1, x2, [sp]
        cbz     x21, 2f
        mov     x0, x21
        mov     x1, sp
        mov     x2, #16
        bl      copy_to_user
        cbnz    x0, 9f
2:      mov     x0, #0
        cbz     x20, 9f
        mov     x0, sp
        mov     x1, x20
        mov     x2, #16
        bl      copy_from_user
        cbnz    x0, 9f
        ldp     x1, x2, [sp]
        cmp     x1, x2
        b.hi    8f
        cmp     x19, #RLIMIT_MEMLOCK
        b.ne    9f
        stp     x1, x2, [x22, #task_struct.memlock_limit]
        b       9f
8:      mov     x0, #-EINVAL
9:      add     sp, sp, #16
        leave

// sys_capset: x0 = header, x1 = data (user). Of all capabilities CAP_IPC_LOCK alone means something here. It can be
// given up and not be got back.
        .equ    CAP_IPC_LOCK, 14
sys_capset:
        enter
        sub     sp, sp, #16
        mov     x0, sp
        mov     x2, #4                          // the effective ones from 0 to 31
        bl      copy_from_user
        cbnz    x0, 9f
        ldr     w1, [sp]
        ubfx    x1, x1, #CAP_IPC_LOCK, #1
        adr     x2, init_task
        ldr     x3, [x2, #task_struct.cap_ipc_lock]
        mov     x0, #-EPERM
        cmp     x1, x3
        b.hi    9f
        str     x1, [x2, #task_struct.cap_ipc_lock]
        mov     x0, #0
9:      add     sp, sp, #16
        leave

// sys_ppoll: x1 = number of descriptors, x2 = time limit or 0. Only waiting for a signal or for time.
sys_ppoll:
        enter
        cbnz    x1, 8f
        cbz     x2, 1f
        mov     x0, x2
        bl      sys_nanosleep
        leave
1:      bl      signal_pending
        cbnz    x0, 2f
        bl      wait_for_interrupt
        b       1b
2:      mov     x0, #-EINTR
        leave
8:      mov     x0, #-ENOSYS
        leave

// sys_syslog: x0 = action, x1 = buffer, x2 = its bytes. The newest messages when not all fit.
sys_syslog:
        enter
        ldr     x4, log_length
        cmp     x0, #SYSLOG_ACTION_SIZE_BUFFER
        b.eq    1f
        cmp     x0, #SYSLOG_ACTION_READ_ALL
        b.ne    8f
        mov     x0, x1
        cmp     x2, x4
        csel    x2, x2, x4, lo
        adr     x1, log_buffer
        add     x1, x1, x4
        sub     x1, x1, x2
        mov     x19, x2
        bl      copy_to_user
        cbnz    x0, 9f
        mov     x0, x19
9:      leave
1:      mov     x0, #LOG_SIZE
        leave
8:      mov     x0, #-EINVAL
        leave

// sys_uname: x0 = struct new_utsname: six texts of 65 bytes.
sys_uname:
        enter
        mov     x19, x0
        adr     x20, utsname
        mov     x21, #6
1:      mov     x0, x20
        bl      strlen
        add     x22, x0, #1
        mov     x0, x19
        mov     x1, x20
        mov     x2, x22
        bl      copy_to_user
        cbnz    x0, 9f
        add     x20, x20, x22
        add     x19, x19, #UTSNAME_FIELD
        subs    x21, x21, #1
        b.ne    1b
        mov     x0, #0
9:      leave

        .section .rodata
init_died:      .asciz "Attempted to kill init!"
utsname:        .asciz "mini-pKVM"              // sysname, nodename, release, version, machine, domainname
                .asciz "lab"
utsname_release: .asciz "7.2-mini"
                .asciz "#1"
                .asciz "aarch64"
                .asciz "(none)"
        .text
