/** Before any test: the kernel's WebAssembly is there. */
export default () => import('../jobs/kernel/build.js')
