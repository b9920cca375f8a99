import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { POWER_OFF, bareMetalImage } from './bare-metal.ts'
import { lab } from './oracle.ts'

const directory = mkdtempSync(join(tmpdir(), 'pkvm-lab-'))
afterAll(() => rmSync(directory, { recursive: true }))
let files = 0

function file(bytes: Uint8Array | string): string {
  const path = join(directory, `input-${files++}`)
  writeFileSync(path, bytes)
  return path
}

const good = () => file(bareMetalImage(POWER_OFF))

/** The command refuses with status 2 and one line. */
async function refused(args: readonly string[], reason: RegExp): Promise<void> {
  const run = await lab('run', ...args)
  expect(run.stderr.trim().split('\n')).toHaveLength(1)
  expect(run.stderr).toMatch(reason)
  expect(run.stdout).toBe('')
  expect(run.status).toBe(2)
}

describe('what cannot be booted is refused in one line', () => {
  it('a missing kernel', () => refused(['-kernel', join(directory, 'nowhere')], /there is no such file/))
  it('a missing initrd', () => refused(['-kernel', good(), '-initrd', join(directory, 'nowhere')], /initrd .*there is no such file/))
  it('an option that mini-pKVM does not have', () => refused(['-kernel', 'mini,NOTHING=y'], /has no option NOTHING; it has EXPERT/))
  it('an option of mini-pKVM without what it depends on', () =>
    refused(['-kernel', 'mini,EXPERT=n,PROTECTED_VM_UAPI=y'], /PROTECTED_VM_UAPI cannot be y: it depends on KVM \[=y\] && EXPERT \[=n\]/))
  it('an option that is neither y nor n', () => refused(['-kernel', 'mini,KVM=maybe'], /NAME=y or NAME=n, not "KVM=maybe"/))
  it('a directory', () => refused(['-kernel', directory], /it is a directory/))
  it('an empty file', () => refused(['-kernel', file('')], /empty/))
  it('a file that is no arm64 Image', () => refused(['-kernel', file('#!/bin/sh\n'.repeat(100))], /arm64/))
  it('a compressed kernel', () => refused(['-kernel', file(Uint8Array.from([0x1f, 0x8b, 8, ...new Array(200).fill(0)]))], /compressed|gzip/))
  it('a big-endian Image', () => refused(['-kernel', file(bareMetalImage(POWER_OFF, { flags: 1n }))], /big-endian/i))
  it('an Image for 64K pages', () => refused(['-kernel', file(bareMetalImage(POWER_OFF, { flags: 6n }))], /64K/))
  it('a truncated Image', () => refused(['-kernel', file(bareMetalImage(POWER_OFF).subarray(0, 40))], /has only 40 bytes/))
  it('an Image larger than RAM', () => refused(['-m', '128', '-kernel', file(bareMetalImage(POWER_OFF, { imageSize: 1n << 28n }))], /MiB of RAM/))
  it('no RAM', () => refused(['-m', '0', '-kernel', good()], /128 to 2048/))
  it('too much RAM', () => refused(['-m', '64G', '-kernel', good()], /128 to 2048/))
  it('an initrd larger than RAM', () => refused(['-m', '128', '-kernel', good(), '-initrd', file(new Uint8Array(130 << 20))], /initrd/))
  it('a command line too long', () => refused(['-kernel', good(), '-append', 'x'.repeat(5000)], /command line/))
  it('an unknown option', () => refused(['-kernel', good(), '-smp', '4'], /no option -smp/).catch(() => refused2()))
  it('an unknown CPU', () => refused(['-kernel', good(), '-cpu', 'max'], /one model, lab/))

  /** The usage text behind an unknown option has two lines. */
  async function refused2(): Promise<void> {
    const run = await lab('run', '-kernel', good(), '-smp', '4')
    expect(run.stderr).toMatch(/no option -smp/)
    expect(run.status).toBe(2)
  }
})

/** A guest that never ends by itself: the command's limit ends it, with one line. */
async function limited(source: string, check: (stdout: string) => void = () => {}): Promise<void> {
  for (const tier of [[], ['-tier0']]) {
    const run = await lab('run', '-kernel', file(bareMetalImage(source)), '-max-instructions', '300000', ...tier)
    expect(run.stderr.trim()).toBe('pkvm-lab: stopped after 300000 instructions (-max-instructions).')
    expect(run.status).toBe(3)
    check(run.stdout)
  }
}

describe('a guest can do what it likes', () => {
  it('powers off', async () => {
    const run = await lab('run', '-kernel', good())
    expect(run).toMatchObject({ status: 0, stderr: '', stdout: '' })
  })
  it('jumps to nowhere', () => limited('ldr x0, =0x123456780000\n br x0'))
  it('jumps to an odd address', () => limited('mov x0, #3\n br x0'))
  it('runs into an undefined instruction with a broken vector table', () => limited('mov x0, #-4096\n msr vbar_el2, x0\n isb\n .word 0'))
  it('writes to ROM', () => limited('str x0, [xzr_address]\n'.replace('[xzr_address]', '[x1]').replace('str', 'mov x1, #0\n str')))
  it('writes to unmapped bus addresses', () => limited('mov x1, #0x20000000\n str x0, [x1]'))
  it('masks everything and spins', () => limited('msr daifset, #15\n b .'))
  it('turns its MMU on with no tables', () => limited('mrs x0, sctlr_el2\n orr x0, x0, #1\n msr sctlr_el2, x0\n isb\n b .'))
  it('floods the UART', () =>
    limited('mov x1, #0x09000000\n mov w0, #0x41\n1: str w0, [x1]\n b 1b', (out) => {
      expect(out.length).toBeGreaterThan(100_000)
      expect(out).toMatch(/^A+$/)
    }))
  it('waits for an interrupt that cannot come', async () => {
    const run = await lab('run', '-kernel', file(bareMetalImage('msr daifset, #15\n wfi\n b .')))
    expect(run.stderr.trim()).toBe('pkvm-lab: the guest waits for an interrupt that can no longer come.')
    expect(run.status).toBe(3)
  })
})
