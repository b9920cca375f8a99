// lab.init=bench: three compute-bound workloads in user space, for comparing machines. Each prints a line before and
// after; whoever measures takes the time between the two as it sees them. The results are printed too: they must agree.

        .section .rodata
bench_word:     .asciz "lab.init=bench"

        .equ    BENCH_BYTES, 0x400000           // each of two buffers
        .equ    HASH_ROUNDS, 40
        .equ    SORT_ELEMENTS, 0x80000
        .equ    COPY_ROUNDS, 400

        .bss
        .balign 64
bench_source:   .skip   BENCH_BYTES
bench_target:   .skip   BENCH_BYTES
        .text

run_bench:
        stp     x29, x30, [sp, #-16]!
        bl      fill_source

        begin   "bench.hash=begin"
        bl      end_line
        bl      hash_source
        bl      keep_result
        begin   "bench.hash=end"
        bl      end_line
        begin   "bench.hash.result="
        bl      put_kept_result

        begin   "bench.sort=begin"
        bl      end_line
        bl      sort_source
        bl      keep_result
        begin   "bench.sort=end"
        bl      end_line
        begin   "bench.sort.result="
        bl      put_kept_result

        begin   "bench.copy=begin"
        bl      end_line
        bl      copy_source
        bl      keep_result
        begin   "bench.copy=end"
        bl      end_line
        begin   "bench.copy.result="
        bl      put_kept_result
        ldp     x29, x30, [sp], #16
        ret

        .bss
        .balign 8
kept_result:    .skip   8
        .text
keep_result:
        adrp    x1, kept_result
        add     x1, x1, :lo12:kept_result
        str     x0, [x1]
        ret

put_kept_result:
        stp     x29, x30, [sp, #-16]!
        adrp    x1, kept_result
        add     x1, x1, :lo12:kept_result
        ldr     x0, [x1]
        bl      put_hex
        bl      end_line
        ldp     x29, x30, [sp], #16
        ret

// x1 = bench_source. The buffers are further away than adr reaches.
        .macro  source_address register
        adrp    \register, bench_source
        add     \register, \register, :lo12:bench_source
        .endm

// Fill the source with a xorshift64 sequence.
fill_source:
        source_address x1
        ldr     x2, =BENCH_BYTES / 8
        ldr     x0, =0x9e3779b97f4a7c15
1:      eor     x0, x0, x0, lsl #13
        eor     x0, x0, x0, lsr #7
        eor     x0, x0, x0, lsl #17
        str     x0, [x1], #8
        subs    x2, x2, #1
        b.ne    1b
        ret

// x0 = 64-bit FNV-1a of the source, HASH_ROUNDS times over: byte loads and a chain of multiplications.
hash_source:
        ldr     x0, =0xcbf29ce484222325
        ldr     x3, =0x100000001b3
        mov     x5, #HASH_ROUNDS
1:      source_address x1
        ldr     x2, =BENCH_BYTES
2:      ldrb    w4, [x1], #1
        eor     x0, x0, x4
        mul     x0, x0, x3
        subs    x2, x2, #1
        b.ne    2b
        subs    x5, x5, #1
        b.ne    1b
        ret

// Shell sort of 64-bit words, gaps 3k+1: data-dependent branches. x0 = sum of each element times its place.
sort_source:
        source_address x1
        ldr     x2, =SORT_ELEMENTS
        mov     x3, #1                          // gap
1:      add     x4, x3, x3, lsl #1
        add     x4, x4, #1
        cmp     x4, x2
        b.hs    2f
        mov     x3, x4
        b       1b
2:      mov     x5, x3                          // i
3:      cmp     x5, x2
        b.hs    6f
        ldr     x6, [x1, x5, lsl #3]            // the element to place
        mov     x7, x5                          // j
4:      cmp     x7, x3
        b.lo    5f
        sub     x8, x7, x3
        ldr     x9, [x1, x8, lsl #3]
        cmp     x9, x6
        b.ls    5f
        str     x9, [x1, x7, lsl #3]
        mov     x7, x8
        b       4b
5:      str     x6, [x1, x7, lsl #3]
        add     x5, x5, #1
        b       3b
6:      sub     x3, x3, #1
        mov     x8, #3
        udiv    x3, x3, x8
        cbnz    x3, 2b
        mov     x0, #0
        mov     x5, #0
7:      ldr     x6, [x1, x5, lsl #3]
        add     x5, x5, #1
        madd    x0, x6, x5, x0
        cmp     x5, x2
        b.lo    7b
        ret

// Copy source to target COPY_ROUNDS times, 64 bytes a step. x0 = last word copied.
copy_source:
        mov     x10, #COPY_ROUNDS
1:      source_address x1
        adrp    x2, bench_target
        add     x2, x2, :lo12:bench_target
        ldr     x3, =BENCH_BYTES / 64
2:      ldp     x4, x5, [x1], #16
        ldp     x6, x7, [x1], #16
        ldp     x8, x9, [x1], #16
        ldp     x11, x12, [x1], #16
        stp     x4, x5, [x2], #16
        stp     x6, x7, [x2], #16
        stp     x8, x9, [x2], #16
        stp     x11, x12, [x2], #16
        subs    x3, x3, #1
        b.ne    2b
        subs    x10, x10, #1
        b.ne    1b
        mov     x0, x12
        ret
