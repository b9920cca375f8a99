// The order in which the kernel starts.

// start_kernel: x0 = device tree (VA). Does not return: it ends by running /init at EL0.
start_kernel:
        bl      scan_device_tree
        bl      console_init
        print   "Booting mini-pKVM on one CPU\n"
        print   "Kernel command line: "
        ldr     x0, boot_arguments
        bl      printk
        print   "\n"
        bl      early_kvm_mode_cfg
        bl      pages_init
        bl      task_init
        bl      interrupts_init
        bl      timer_init
        bl      kvm_init
        bl      kernel_execve
        print   "Run /init as init process\n"
        b       ret_to_user

        .data
        .balign 8
init_task:
        .word   1, 0                            // task_struct.pid
        .asciz  "init"
        .skip   task_struct.sizeof - 13
        .text

task_init:
        adr     x0, init_task
        adr     x1, __entry_task
        str     x0, [x1]
        mov     x1, #0x800000                   // 8 MiB, Linux's default of RLIMIT_MEMLOCK
        stp     x1, x1, [x0, #task_struct.memlock_limit]
        mov     x1, #1                          // the first process may do everything
        str     x1, [x0, #task_struct.cap_ipc_lock]
        ret
