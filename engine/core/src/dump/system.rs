//! The machine and the process: streams SystemInfo and MiscInfo, comments.
//!
//! Source: minidumpapiset.h, MINIDUMP_SYSTEM_INFO, MINIDUMP_MISC_INFO to MINIDUMP_MISC_INFO_5; Breakpad's
//! MDCPUArchitecture and MDOSPlatform.

use super::records::{Problem, Referred, utf16};
use crate::bytes::Reader;
use crate::registers::Cpu;

/// PROCESSOR_ARCHITECTURE_… of winnt.h; from 0x8001 on, Breakpad's MD_CPU_ARCHITECTURE_….
#[allow(missing_docs)]
pub mod architecture {
    pub const X86: u16 = 0;
    pub const MIPS: u16 = 1;
    pub const PPC: u16 = 3;
    pub const ARM: u16 = 5;
    pub const IA64: u16 = 6;
    pub const X64: u16 = 9;
    /// A 32-bit process on 64-bit Windows.
    pub const X86_ON_X64: u16 = 10;
    pub const ARM64: u16 = 12;
    /// A 32-bit process on 64-bit Windows.
    pub const ARM_ON_ARM64: u16 = 13;
    /// A 32-bit process on 64-bit Windows.
    pub const X86_ON_ARM64: u16 = 14;
    pub const SPARC: u16 = 0x8001;
    pub const PPC64: u16 = 0x8002;
    /// What Breakpad wrote before it used Windows' number.
    pub const OLD_ARM64: u16 = 0x8003;
    pub const MIPS64: u16 = 0x8004;
    pub const RISCV: u16 = 0x8005;
    pub const RISCV64: u16 = 0x8006;
}

/// Stream SystemInfo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemInfo {
    /// PROCESSOR_ARCHITECTURE_….
    pub architecture: u16,
    /// Family.
    pub level: u16,
    /// Model in the upper byte, stepping in the lower (x86).
    pub revision: u16,
    /// How many processors.
    pub processor_count: u8,
    /// VER_PLATFORM_…, or Breakpad's.
    pub platform: u32,
    /// Major, minor, build.
    pub version: [u32; 3],
    /// Service pack, or what `uname` said.
    pub csd_version: String,
    /// CPUID's vendor string (x86; on x64 the same bytes are feature bits).
    pub vendor: Option<String>,
}

impl SystemInfo {
    /// The processor, if the engine knows it.
    pub fn cpu(&self) -> Option<Cpu> {
        match self.architecture {
            architecture::X86 | architecture::X86_ON_X64 | architecture::X86_ON_ARM64 => Some(Cpu::X86),
            architecture::X64 => Some(Cpu::X64),
            architecture::ARM64 | architecture::OLD_ARM64 => Some(Cpu::Arm64),
            architecture::ARM | architecture::ARM_ON_ARM64 => Some(Cpu::Arm),
            _ => None,
        }
    }

    /// The processor's name as minidump-stackwalk writes it, also of those that the engine does not know otherwise.
    pub fn cpu_name(&self) -> String {
        if let Some(cpu) = self.cpu() {
            return cpu.name().to_owned();
        }
        let name = match self.architecture {
            architecture::MIPS => "mips",
            architecture::MIPS64 => "mips64",
            architecture::PPC => "ppc",
            architecture::PPC64 => "ppc64",
            architecture::SPARC => "sparc",
            architecture::RISCV => "riscv",
            architecture::RISCV64 => "riscv64",
            architecture::IA64 => "ia64",
            other => return format!("unknown({other})"),
        };
        name.to_owned()
    }

    /// The system's name as minidump-stackwalk writes it.
    pub fn os_name(&self) -> String {
        match self.platform {
            2 => "Windows NT".to_owned(),
            1 => "Windows".to_owned(),
            0x8101 => "Mac OS X".to_owned(),
            0x8102 => "iOS".to_owned(),
            0x8201 => "Linux".to_owned(),
            0x8202 => "Solaris".to_owned(),
            0x8203 => "Android".to_owned(),
            0x8205 => "NaCl".to_owned(),
            other => format!("unknown({other:#x})"),
        }
    }

    /// Whether it is Windows (VER_PLATFORM_WIN32_WINDOWS, VER_PLATFORM_WIN32_NT).
    pub fn is_windows(&self) -> bool {
        matches!(self.platform, 1 | 2)
    }

    /// Whether it is one of Apple's systems.
    pub fn is_apple(&self) -> bool {
        matches!(self.platform, 0x8101 | 0x8102)
    }

    /// Vendor, family, model and stepping as minidump-stackwalk writes them.
    pub fn cpu_info(&self) -> Option<String> {
        if self.level == 0 && self.revision == 0 {
            return None; // cores do not say
        }
        let (model, stepping) = (self.revision >> 8, self.revision & 0xff);
        let vendor = match (self.architecture, &self.vendor) {
            (architecture::X64, _) => "",
            (_, vendor) => vendor.as_deref()?,
        };
        Some(format!("{vendor} family {} model {model} stepping {stepping}", self.level).trim_start().to_owned())
    }
}

/// Reads stream SystemInfo. The CPU part is optional: old writers leave it out.
pub fn system_info(file: &[u8], stream: &[u8]) -> Result<SystemInfo, Problem> {
    let mut input = Reader::new(stream);
    let (architecture, level, revision) = (input.u16()?, input.u16()?, input.u16()?);
    let processor_count = input.u8()?;
    input.skip(1)?; // ProductType
    let version = [input.u32()?, input.u32()?, input.u32()?];
    let platform = input.u32()?;
    let csd_version = Referred::new(file).string(input.u32()?).unwrap_or_default();
    let is_x86 = matches!(architecture, architecture::X86 | architecture::X86_ON_X64 | architecture::X86_ON_ARM64);
    let vendor = input.skip(4).and_then(|()| input.take(12)).ok().filter(|_| is_x86);
    let vendor = vendor.map(|vendor| String::from_utf8_lossy(vendor).trim_end_matches('\0').to_owned());
    Ok(SystemInfo { architecture, level, revision, processor_count, platform, version, csd_version, vendor })
}

/// Stream MiscInfo; what its version lacks or its flags disown is None.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MiscInfo {
    /// The process.
    pub process_id: Option<u32>,
    /// When it was created, seconds since 1970.
    pub process_create_time: Option<u32>,
    /// Seconds outside of the kernel.
    pub process_user_time: Option<u32>,
    /// Seconds in the kernel.
    pub process_kernel_time: Option<u32>,
    /// The build of the system (MINIDUMP_MISC_INFO_4).
    pub build_string: Option<String>,
}

/// Offset of BuildString in MINIDUMP_MISC_INFO_4: after MINIDUMP_MISC_INFO_3 (232 bytes).
const BUILD_STRING_OFFSET: usize = 232;
/// WCHAR\[260\].
const BUILD_STRING_BYTES: usize = 520;

/// Reads stream MiscInfo of any version.
pub fn misc_info(stream: &[u8]) -> Result<MiscInfo, Problem> {
    let mut input = Reader::new(stream);
    input.skip(4)?; // SizeOfInfo: the stream's own size says as much
    let flags = input.u32()?;
    let mut field =
        |flag: u32| -> Result<Option<u32>, Problem> { Ok(Some(input.u32()?).filter(|_| flags & flag != 0)) };
    let mut misc = MiscInfo { process_id: field(1)?, ..MiscInfo::default() };
    (misc.process_create_time, misc.process_user_time, misc.process_kernel_time) = (field(2)?, field(2)?, field(2)?);
    if flags & 0x100 != 0 {
        let string = Reader::at(stream, BUILD_STRING_OFFSET).and_then(|mut input| input.take(BUILD_STRING_BYTES));
        misc.build_string = string.ok().map(utf16).filter(|text| !text.is_empty());
    }
    Ok(misc)
}
