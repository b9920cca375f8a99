// /init of the lab: the first and only program of the machine, A64 Linux, no libc.
//
// It mounts the kernel's file systems, says what kernel and command line it runs under, and then probes protected KVM:
// one `key=value` line per fact, the same lines on any machine. `lab.init=shell` on the command line gives a shell
// instead, `lab.init=bench` runs the workloads of bench.s, and it powers the machine off at the end. `lab.init=agent`
// serves requests over the second serial port.
//
// Calling convention: AAPCS64. x19-x28 are kept by functions, x0-x17 are not.

        .text
image_start:
        .include "syscalls.s"
        .include "print.s"
        .include "errno.s"
        .include "files.s"
        .include "signals.s"
        .include "shell.s"
        .include "probe.s"
        .include "vm.s"
        .include "guest.s"
        .include "agent.s"
        .include "agent-calls.s"
        .include "agent-memory.s"
        .include "agent-processes.s"
        .include "bench.s"
        .bss
image_end:

        .text
        .global _start
_start:
        bl      mount_all
        bl      install_fault_handler

        begin   "version="
        file    "/proc/version"
        bl      end_line
        begin   "cmdline="
        file    "/proc/cmdline"
        bl      end_line
        begin   "taint="
        file    "/proc/sys/kernel/tainted"
        bl      end_line

        adr     x0, shell_word
        bl      command_line_has
        cbz     x0, 1f
        bl      run_shell
        b       power_off
1:      adr     x0, bench_word
        bl      command_line_has
        cbz     x0, 3f
        bl      run_bench
        b       power_off
3:      adr     x0, agent_word
        bl      command_line_has
        cbnz    x0, run_agent
        bl      probe

// Does not return.
power_off:
        syscall SYS_sync
        ldr     w0, =LINUX_REBOOT_MAGIC1
        ldr     w1, =LINUX_REBOOT_MAGIC2
        ldr     w2, =LINUX_REBOOT_CMD_POWER_OFF
        mov     x3, #0
        syscall SYS_reboot
        mov     x19, x0
        begin   "power_off="
        mov     x0, x19
        bl      put_result
        bl      end_line
        // PID 1 must not exit. With no descriptor and no time limit ppoll sleeps for good.
2:      mov     x0, #0
        mov     x1, #0
        mov     x2, #0
        mov     x3, #0
        syscall SYS_ppoll
        b       2b

// Mount proc, sysfs and devtmpfs; a line for each that fails.
mount_all:
        stp     x29, x30, [sp, #-16]!
        mount   "proc", "/proc"
        mount   "sysfs", "/sys"
        mount   "devtmpfs", "/dev"
        ldp     x29, x30, [sp], #16
        ret
