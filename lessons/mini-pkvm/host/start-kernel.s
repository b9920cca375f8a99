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
