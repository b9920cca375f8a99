import { answer, attempt, guest, kvm, mem, print } from 'lab'

const dev = await kvm.open()
const vm = await dev.createVm({ protected: true })
const program = guest('guest.s')
const ram = await vm.addMemory({ guestAddress: program.address, bytes: 4 * 4096 })
await ram.load(program)
const vcpu = await vm.createVcpu()
await vcpu.set('pc', program.entry)

const PRIVATE_PAGE = program.symbol('PRIVATE_PAGE')
const LENT_PAGE = program.symbol('LENT_PAGE')

/** One load by the host, whatever becomes of it. */
async function peek(what: string, address: bigint) {
  const word = await attempt(ram.read64(address))
  print(what, word.ok ? word.value : word.error.code)
  answer(what, word.ok ? word.value : null)
}

// 1. The guest writes to PRIVATE_PAGE, and so gets it.
await ram.write64(PRIVATE_PAGE, 0)
print('before:', await mem.physical(ram.hostAddress(PRIVATE_PAGE)))
const first = await vcpu.run()
answer('first', first.reason)
// <- now look: what does the host load from PRIVATE_PAGE? Record it under 'private'

// 2. The guest lends LENT_PAGE to the host, and takes it back.
const second = await vcpu.run()
answer('second', second.reason)
await peek('lent', LENT_PAGE)
const third = await vcpu.run()
answer('third', third.reason)
// <- and now: what does the host load from LENT_PAGE? Record it under 'returned'
