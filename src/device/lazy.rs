//! CUDA's libraries, opened when they are first called.
//!
//! candle links them so that the system opens them before the program begins, and a program made
//! for a card would not even start on a machine without a driver. Here stands a function of each
//! name that it calls: the linker takes these and leaves the libraries out. A call goes on to the
//! library once that is open; where it is not there, the call answers that there is no device.
//!
//! A function that a later candle calls and that is not in the list brings its library back, and
//! with it the need for the driver: `readelf -d` of the program then names the library as `NEEDED`.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::cuda_backend::cudarc::driver::sys::CUDA_VERSION;

/// The libraries, each after those that it opens itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Library {
    Driver,
    Runtime,
    BlasLt,
    Blas,
    Random,
}

impl Library {
    /// All of them: each is needed to compute.
    const ALL: [Self; 5] = [
        Self::Driver,
        Self::Runtime,
        Self::BlasLt,
        Self::Blas,
        Self::Random,
    ];

    /// The file that has the interface this program was made for.
    fn file(self) -> String {
        let major = CUDA_VERSION / 1000;
        match self {
            Self::Driver => "libcuda.so.1".to_owned(),
            Self::Runtime => format!("libcudart.so.{major}"),
            Self::BlasLt => format!("libcublasLt.so.{major}"),
            Self::Blas => format!("libcublas.so.{major}"),
            Self::Random => "libcurand.so.10".to_owned(),
        }
    }

    /// The open library; `None` where it cannot be opened.
    fn handle(self) -> Option<*mut c_void> {
        static HANDLES: [OnceLock<usize>; 5] = [const { OnceLock::new() }; 5];
        let handle = *HANDLES[self as usize].get_or_init(|| {
            let Ok(file) = CString::new(self.file()) else {
                return 0;
            };
            // SAFETY: the name is a C string; the initializers of CUDA's libraries ask for nothing.
            unsafe { dlopen(file.as_ptr(), RTLD_LAZY) as usize }
        });
        (handle != 0).then_some(handle as *mut c_void)
    }

    /// Where the library has a function; `None` where it has none of that name.
    fn address(self, name: &CStr) -> Option<usize> {
        let handle = self.handle()?;
        // SAFETY: the handle is open and stays so, the name is a C string.
        let address = unsafe { dlsym(handle, name.as_ptr()) } as usize;
        (address != 0).then_some(address)
    }
}

/// What is needed and not there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The driver's library.
    Driver,
    /// A library of the toolkit, by the name of its file.
    Library(String),
    /// A function, and the file that should have it.
    Function(String, String),
}

/// The first library that is needed and not there, or the first function: a call of it would answer
/// that there is no device, in the middle of the work.
pub(super) fn missing() -> Option<Missing> {
    // SAFETY: the places are defined below, one a function. Looking at one ties the functions
    // to this one, so that the linker meets them before the libraries.
    let first = unsafe { &*(&raw const newsml_cuda_places).cast::<AtomicUsize>() };
    std::hint::black_box(first.load(Ordering::Relaxed));
    let is_missing = |library: &Library| library.handle().is_none();
    match Library::ALL.into_iter().find(is_missing) {
        Some(Library::Driver) => return Some(Missing::Driver),
        Some(library) => return Some(Missing::Library(library.file())),
        None => {}
    }
    let is_missing = |(library, name): &&(Library, &CStr)| library.address(name).is_none();
    let (library, name) = FUNCTIONS.iter().find(is_missing)?;
    let name = name.to_string_lossy().into_owned();
    Some(Missing::Function(name, library.file()))
}

const RTLD_LAZY: c_int = 1;

unsafe extern "C" {
    fn dlopen(file: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    /// Where each function goes on to, in the order of [`FUNCTIONS`].
    static newsml_cuda_places: c_void;
}

/// What a function of a library that is not there answers: `CUDA_ERROR_NO_DEVICE`, which is an
/// error of every one of the libraries.
extern "C" fn absent() -> c_int {
    100
}

/// Finds where a function goes on to, and has it go there from now on. Called at most a few times a
/// function: until its place is set.
#[unsafe(no_mangle)]
extern "C" fn newsml_cuda_find(place: &AtomicUsize) -> usize {
    let first = &raw const newsml_cuda_places as usize;
    let number = (std::ptr::from_ref(place) as usize - first) / size_of::<AtomicUsize>();
    let found = FUNCTIONS
        .get(number)
        .and_then(|(library, name)| library.address(name));
    let address = found.unwrap_or(absent as *const () as usize);
    place.store(address, Ordering::Relaxed);
    address
}

// A call may have its arguments in any of these registers; they are kept while the place is found.
std::arch::global_asm!(
    ".pushsection .text.newsml_cuda,\"ax\",@progbits",
    "newsml_cuda_first_call:",
    "push rax",
    "push rdi",
    "push rsi",
    "push rdx",
    "push rcx",
    "push r8",
    "push r9",
    "sub rsp, 136",
    "movups [rsp], xmm0",
    "movups [rsp + 16], xmm1",
    "movups [rsp + 32], xmm2",
    "movups [rsp + 48], xmm3",
    "movups [rsp + 64], xmm4",
    "movups [rsp + 80], xmm5",
    "movups [rsp + 96], xmm6",
    "movups [rsp + 112], xmm7",
    "mov rdi, [rsp + 192]",
    "call newsml_cuda_find",
    "mov r11, rax",
    "movups xmm0, [rsp]",
    "movups xmm1, [rsp + 16]",
    "movups xmm2, [rsp + 32]",
    "movups xmm3, [rsp + 48]",
    "movups xmm4, [rsp + 64]",
    "movups xmm5, [rsp + 80]",
    "movups xmm6, [rsp + 96]",
    "movups xmm7, [rsp + 112]",
    "add rsp, 136",
    "pop r9",
    "pop r8",
    "pop rcx",
    "pop rdx",
    "pop rsi",
    "pop rdi",
    "pop rax",
    "add rsp, 8",
    "jmp r11",
    ".popsection",
    ".pushsection .data.newsml_cuda,\"aw\",@progbits",
    ".balign 8",
    ".globl newsml_cuda_places",
    "newsml_cuda_places:",
    ".popsection",
);

/// Makes a function of each name, and the table of all.
macro_rules! functions {
    ($($library:ident: $($name:ident)*;)*) => {
        const FUNCTIONS: &[(Library, &CStr)] = &[$($((
            Library::$library,
            match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => c"",
            },
        ),)*)*];

        $($(std::arch::global_asm!(
            ".pushsection .text.newsml_cuda,\"ax\",@progbits",
            concat!(".globl ", stringify!($name)),
            concat!(".type ", stringify!($name), ",@function"),
            concat!(stringify!($name), ":"),
            concat!("jmp qword ptr [rip + newsml_cuda_place_", stringify!($name), "]"),
            concat!("newsml_cuda_first_", stringify!($name), ":"),
            concat!("lea r11, [rip + newsml_cuda_place_", stringify!($name), "]"),
            "push r11",
            "jmp newsml_cuda_first_call",
            ".popsection",
            ".pushsection .data.newsml_cuda,\"aw\",@progbits",
            concat!("newsml_cuda_place_", stringify!($name), ":"),
            concat!(".quad newsml_cuda_first_", stringify!($name)),
            ".popsection",
        );)*)*
    };
}

functions! {
    Driver:
        cuInit
        cuCtxDestroy_v2 cuCtxGetCurrent cuCtxSetCurrent cuCtxSynchronize cuDeviceGet
        cuDeviceGetAttribute cuDevicePrimaryCtxRelease_v2 cuDevicePrimaryCtxRetain
        cuEventCreate cuEventDestroy_v2 cuEventRecord cuGetErrorString cuLaunchKernel
        cuMemAllocAsync cuMemAlloc_v2 cuMemFreeAsync cuMemFree_v2 cuMemGetInfo_v2
        cuMemcpyDtoDAsync_v2 cuMemcpyDtoHAsync_v2 cuMemcpyHtoDAsync_v2 cuMemcpyPeerAsync
        cuMemsetD8Async cuModuleGetFunction cuModuleLoad cuModuleLoadData cuModuleUnload
        cuStreamCreate cuStreamDestroy_v2 cuStreamIsCapturing cuStreamSynchronize
        cuStreamWaitEvent;
    Runtime:
        __cudaGetKernel __cudaLaunchKernel_ptsz __cudaPopCallConfiguration
        __cudaPushCallConfiguration __cudaRegisterFatBinary __cudaRegisterFatBinaryEnd
        __cudaRegisterFunction __cudaRegisterVar __cudaUnregisterFatBinary
        cudaDeviceGetAttribute cudaFree cudaFreeAsync_ptsz cudaFuncGetAttributes
        cudaFuncSetAttribute cudaGetDevice cudaGetDeviceCount cudaGetErrorName
        cudaGetErrorString cudaGetLastError cudaMalloc cudaMallocAsync_ptsz
        cudaMemsetAsync_ptsz cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags
        cudaPeekAtLastError cudaSetDevice cudaStreamSynchronize_ptsz;
    Blas:
        cublasCreate_v2 cublasDestroy_v2 cublasDgemmStridedBatched
        cublasGemmStridedBatchedEx cublasSetStream_v2;
    Random:
        curandCreateGenerator curandDestroyGenerator curandSetPseudoRandomGeneratorSeed
        curandSetStream;
}
