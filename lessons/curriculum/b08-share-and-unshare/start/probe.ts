import { answer, attempt, guest, hex, kvm, print } from 'lab'

const program = guest('guest.s')
const PAGE = program.symbol('PAGE')
const dev = await kvm.open()
const vm = await dev.createVm({ protected: true })
const ram = await vm.addMemory({ guestAddress: program.address, bytes: 4 * 4096 })
await ram.load(program)
const vcpu = await vm.createVcpu()
await vcpu.set('pc', program.entry)

/** Runs the guest to its next store to the doorbell. */
async function ring(name: string): Promise<void> {
  const exit = await attempt(vcpu.run({ limitMs: 1 }))
  const told = !exit.ok ? exit.error.code : exit.value.reason === 'mmio' && exit.value.isWrite ? exit.value.value : exit.value.reason
  answer(name, told)
  print(name.padEnd(9), typeof told === 'bigint' ? (told === 0n ? 'SUCCESS' : hex(told)) : told)
}

/** What a load by the host finds on the page. */
async function look(name: string): Promise<void> {
  const read = await attempt(ram.read32(PAGE))
  answer(name, read.ok ? read.value : read.error.code)
  print(name.padEnd(9), read.ok ? hex(read.value, 8) : read.error.code)
}

await ring('share')
await look('lent')
await attempt(ram.write32(PAGE, 0xcafe))
await ring('reply')
await ring('unshare')
await look('back')
await ring('again')
// The VM stays open: look at it.
