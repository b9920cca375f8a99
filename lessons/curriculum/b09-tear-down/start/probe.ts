import { answer, attempt, guest, kvm, print } from 'lab'

const program = guest('guest.s')
const dev = await kvm.open()
const vm = await dev.createVm({ protected: true })
const ram = await vm.addMemory({ guestAddress: program.address, bytes: 4 * 4096 })
await ram.load(program)
const vcpu = await vm.createVcpu()
await vcpu.set('pc', program.entry)
print('the guest:', await vcpu.run({ limitMs: 1 }))

/** What a load by the host finds. */
async function look(name: string, symbol: string): Promise<void> {
  const read = await attempt(ram.read64(program.symbol(symbol)))
  answer(name, read.ok ? read.value : read.error.code)
  print(name, read.ok ? read.value : read.error.code)
}

await look('before', 'SECRET_PAGE')
await vm.close()
// The VM is gone, its memory still mapped here.
await look('secret', 'SECRET_PAGE')
await look('message', 'LENT_PAGE')
