import { answer, hex, kvm, mem, print } from 'lab'

// A VM with a processor: the host lends the hypervisor the pages where it keeps what it knows of them.
const vm = await (await kvm.open()).createVm()
await vm.createVcpu()
await vm.close()

// A page of the host for your own calls.
const page = await mem.map(4096, { populate: true })
await mem.write32(page.address, 1)
const physical = (await mem.physical(page.address)) ?? 0n
answer('page', physical)
print('pfn of a page that is the host\'s alone:', hex(physical >> 12n))
