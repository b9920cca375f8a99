// peek and poke: loads and stores of a given width that may fault, and what is told of the fault.

        .equ    MEMORY_ADDRESS, FRAME_PAYLOAD           // request: u64 address, u32 bytes, u32 width, the bytes
        .equ    MEMORY_COUNT, FRAME_PAYLOAD + 8
        .equ    MEMORY_WIDTH, FRAME_PAYLOAD + 12
        .equ    MEMORY_DATA, FRAME_PAYLOAD + 16
        .equ    FAULT_SIGNAL, FRAME_PAYLOAD             // answer: u32 signal, u32 code, u64 address, ...
        .equ    FAULT_CODE, FRAME_PAYLOAD + 4
        .equ    FAULT_ADDRESS, FRAME_PAYLOAD + 8
        .equ    FAULT_DATA, FRAME_PAYLOAD + 16

// Copies: x0 = target, x1 = source, x2 = bytes, a multiple of the width. x3 = bytes copied. A fault in here does not
// end the program: the handler notes it and lets the copy return early.
guarded_start:
copy_by_1:
        mov     x3, #0
        cbz     x2, 2f
1:      ldrb    w4, [x1, x3]
        strb    w4, [x0, x3]
        add     x3, x3, #1
        cmp     x3, x2
        b.lo    1b
2:      ret
copy_by_2:
        mov     x3, #0
        cbz     x2, 2f
1:      ldrh    w4, [x1, x3]
        strh    w4, [x0, x3]
        add     x3, x3, #2
        cmp     x3, x2
        b.lo    1b
2:      ret
copy_by_4:
        mov     x3, #0
        cbz     x2, 2f
1:      ldr     w4, [x1, x3]
        str     w4, [x0, x3]
        add     x3, x3, #4
        cmp     x3, x2
        b.lo    1b
2:      ret
copy_by_8:
        mov     x3, #0
        cbz     x2, 2f
1:      ldr     x4, [x1, x3]
        str     x4, [x0, x3]
        add     x3, x3, #8
        cmp     x3, x2
        b.lo    1b
2:      ret
guarded_end:
guarded_landing:
        ret

// SIGSEGV, SIGBUS: x0 = signal, x1 = siginfo, x2 = ucontext.
agent_fault_handler:
        ldrsw   x3, [x1, #SIGINFO_CODE]
        cmp     x3, #0
        b.le    1f                      // someone's kill(2), not a fault
        ldr     x4, [x2, #UCONTEXT_PC]
        adr     x5, guarded_start
        cmp     x4, x5
        b.lo    2f
        adr     x5, guarded_end
        cmp     x4, x5
        b.hs    2f
        place   x5, fault_signal
        str     x0, [x5]
        str     x3, [x5, #fault_code - fault_signal]
        ldr     x4, [x1, #SIGINFO_ADDRESS]
        str     x4, [x5, #fault_address - fault_signal]
        adr     x5, guarded_landing
        str     x5, [x2, #UCONTEXT_PC]
1:      ret
        // The agent itself is broken, by a request that took away what it stands on. Say so and stop.
2:      load_variable x1, own_process
        cbz     x1, 3f
        add     x0, x0, #128
        syscall SYS_exit
3:      begin   "agent=SIGSEGV"
        bl      end_line
        b       power_off

// clear_fault: before a guarded copy.  fault_found: x0 = its signal, or 0.
clear_fault:
        place   x9, fault_signal
        str     xzr, [x9]
        ret
fault_found:
        load_variable x0, fault_signal
        ret

// in_image: x0 = address, x1 = bytes; x0 = 1 when that touches the agent's own program and data.
in_image:
        add     x1, x0, x1
        place   x9, image_end
        cmp     x0, x9
        b.hs    1f
        place   x9, image_start
        cmp     x1, x9
        b.ls    1f
        mov     x0, #1
        ret
1:      mov     x0, #0
        ret

// memory_request: checks peek or poke. x23 = address, x24 = bytes, x25 = width; x0 = 0 or the status to refuse with.
memory_request:
        mov     x0, #EINVAL
        cmp     w22, #MEMORY_DATA
        b.lo    1f
        ldr     x23, [x19, #MEMORY_ADDRESS]
        ldr     w24, [x19, #MEMORY_COUNT]
        ldr     w25, [x19, #MEMORY_WIDTH]
        cmp     w25, #8
        b.hi    1f
        cbz     w25, 1f
        sub     w9, w25, #1
        tst     w9, w25                 // a power of two?
        b.ne    1f
        orr     x10, x23, x24
        tst     x10, x9
        b.ne    1f
        mov     x0, #0
1:      ret

// copy_by_width: x0, x1, x2 as the copies, x25 = width. x3 = bytes copied.
copy_by_width:
        cmp     w25, #8
        b.eq    copy_by_8
        cmp     w25, #4
        b.eq    copy_by_4
        cmp     w25, #2
        b.eq    copy_by_2
        b       copy_by_1

// copy_any: x0, x1, x2 as the copies, any number of bytes; by 8 as far as that goes.
copy_any:
        stp     x29, x30, [sp, #-16]!
        mov     x10, x2
        and     x2, x2, #~7
        bl      copy_by_8
        cmp     x3, x2
        b.lo    1f                      // a fault
        add     x0, x0, x2
        add     x1, x1, x2
        and     x2, x10, #7
        bl      copy_by_1
1:      ldp     x29, x30, [sp], #16
        ret

// note_fault: the first three fields of the answer.
note_fault:
        place   x9, fault_signal
        ldr     x10, [x9]
        cbz     x10, 1f
        str     w10, [x20, #FAULT_SIGNAL]
        ldr     x10, [x9, #fault_code - fault_signal]
        str     w10, [x20, #FAULT_CODE]
        ldr     x10, [x9, #fault_address - fault_signal]
        str     x10, [x20, #FAULT_ADDRESS]
        ret
1:      stp     xzr, xzr, [x20, #FAULT_SIGNAL]
        ret

operation_peek:
        stp     x29, x30, [sp, #-16]!
        bl      memory_request
        cbnz    x0, 2f
        mov     x0, #EINVAL
        cmp     w22, #MEMORY_DATA
        b.ne    2f
        mov     x0, #EMSGSIZE
        mov     w9, #MOST_ANSWER - FAULT_DATA
        cmp     w24, w9
        b.hi    2f
        bl      clear_fault
        add     x0, x20, #FAULT_DATA
        mov     x1, x23
        mov     x2, x24
        bl      copy_by_width
        bl      note_fault
        add     x1, x3, #FAULT_DATA - FRAME_PAYLOAD
        mov     x0, #0
1:      ldp     x29, x30, [sp], #16
        ret
2:      mov     x1, #0
        b       1b

operation_poke:
        stp     x29, x30, [sp, #-16]!
        bl      memory_request
        cbnz    x0, 2f
        mov     x0, #EINVAL
        sub     w9, w22, #MEMORY_DATA
        cmp     w9, w24
        b.ne    2f
        mov     x0, x23
        mov     x1, x24
        bl      in_image
        cbz     x0, 3f
        mov     x0, #EPERM
        b       2f
3:      bl      clear_fault
        mov     x0, x23
        add     x1, x19, #MEMORY_DATA
        mov     x2, x24
        bl      copy_by_width
        bl      note_fault
        str     x3, [x20, #FAULT_DATA]
        mov     x1, #FAULT_DATA + 8 - FRAME_PAYLOAD
        mov     x0, #0
1:      ldp     x29, x30, [sp], #16
        ret
2:      mov     x1, #0
        b       1b
