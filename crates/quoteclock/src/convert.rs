//! Events written in another form, to a file.

use quoteclock_replay::{ConvertError, ConvertOptions, Converted, Input, Progress, Target, convert};
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The form that a file's name tells: `.csv` or `.qcev`, with `.gz` or `.zst` behind it or not; what is wrong otherwise.
///
/// # Errors
/// A sentence for whoever gave the name.
///
/// ```
/// use quoteclock::{Target, target_of_name};
///
/// assert_eq!(target_of_name("2024-03-01.QCEV.zst".as_ref()), Ok(Target::Binary));
/// assert!(target_of_name("2024-03-01.txt".as_ref()).is_err());
/// ```
pub fn target_of_name(name: &Path) -> Result<Target, String> {
    let name = name.to_string_lossy();
    // Names from systems that have no small letters are as good.
    let lower = name.to_ascii_lowercase();
    let stem = lower.strip_suffix(".gz").or(lower.strip_suffix(".zst")).unwrap_or(&lower);
    match stem {
        _ if stem.ends_with(".csv") => Ok(Target::Csv),
        _ if stem.ends_with(".qcev") => Ok(Target::Binary),
        _ => Err(format!(
            "{name}: the name does not tell the form, expected .csv or .qcev, with .gz or .zst behind it to compress"
        )),
    }
}

/// Converts `input`, and what the options name beside it, to a file, which has its name once it is whole, and says how many records
/// were written.
///
/// # Errors
/// [`ConvertError`]; then what was there stands as it was.
///
/// ```
/// use quoteclock::{ConvertOptions, Input, UNWATCHED, convert_file};
///
/// # let folder = std::env::temp_dir().join(format!("quoteclock-convert-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let (from, to) = ("../../replay-data/tse-small/2024-03-01.csv", folder.join("2024-03-01.qcev.zst"));
/// let options = ConvertOptions::to(quoteclock::target_of_name(&to)?);
/// let converted = convert_file(&Input::named(from.as_ref()), &options, &to, UNWATCHED)?;
/// assert!(0 < converted.record_count && to.is_file());
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn convert_file(
    input: &Input,
    options: &ConvertOptions,
    output: &Path,
    progress: Progress<'_>,
) -> Result<Converted, ConvertError> {
    let refuse = |problem: &str| ConvertError::Write(io::Error::new(io::ErrorKind::InvalidInput, problem));
    let is_output = |from: &Path| match (from.canonicalize(), output.canonicalize()) {
        (Ok(from), Ok(to)) => from == to,
        _ => false,
    };
    let inputs = [input].into_iter().chain(options.beside.also.iter().map(|also| &also.input));
    let files = inputs.filter_map(|input| if let Input::File(file) = input { Some(file.as_path()) } else { None });
    let sheet = options.beside.own_orders.iter().map(|own| Path::new(own.name()));
    if files.chain(sheet).any(is_output) {
        return Err(refuse("the output is the input, expected another name"));
    }
    if output.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return Err(refuse("the output is no regular file, expected one, or a free name"));
    }
    let folder = output.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let mut aside = tempfile::Builder::new();
    #[cfg(unix)]
    aside.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let aside = aside.prefix(".quoteclock-").tempfile_in(folder)?;
    let mut to = Compressed::new(BufWriter::new(aside.as_file()), output)?;
    let converted = convert(input, options, &mut to, progress)?;
    to.finish()?;
    aside.as_file().sync_all()?;
    if let Ok(metadata) = fs::metadata(output) {
        // What comes in a file's place may be read and written by the same people.
        aside.as_file().set_permissions(metadata.permissions())?;
    }
    aside.persist(output).map_err(|error| error.error)?;
    Ok(converted)
}

/// A writer that compresses as a file's name says.
///
/// ```
/// use std::io::Write;
///
/// let mut bytes = Vec::new();
/// let mut to = quoteclock::Compressed::new(&mut bytes, "2024-03-01.csv.gz".as_ref())?;
/// to.write_all(b"events")?;
/// to.finish()?;
/// assert_eq!(bytes[..2], [0x1f, 0x8b]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub enum Compressed<'a, W: Write> {
    /// Neither.
    Plain(W),
    /// With gzip.
    Gzip(flate2::write::GzEncoder<W>),
    /// With zstd.
    Zstd(zstd::Encoder<'a, W>),
}

impl<W: Write> Compressed<'_, W> {
    /// One that writes to `to` as a file called `name` has to be.
    ///
    /// # Errors
    /// Those of the library.
    ///
    /// ```
    /// let mut bytes = Vec::new();
    /// let to = quoteclock::Compressed::new(&mut bytes, "2024-03-01.csv".as_ref())?;
    /// assert!(matches!(to, quoteclock::Compressed::Plain(_)), "neither .gz nor .zst");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(to: W, name: &Path) -> std::io::Result<Self> {
        const ZSTD_LEVEL: i32 = 3;
        let extension = name.extension().map(|extension| extension.to_ascii_lowercase());
        Ok(match extension.as_ref().and_then(|extension| extension.to_str()) {
            Some("gz") => Compressed::Gzip(flate2::write::GzEncoder::new(to, flate2::Compression::default())),
            Some("zst") => {
                let mut encoder = zstd::Encoder::new(to, ZSTD_LEVEL)?;
                encoder.include_checksum(true)?;
                Compressed::Zstd(encoder)
            }
            _ => Compressed::Plain(to),
        })
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// Those of the writer.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// let mut bytes = Vec::new();
    /// let mut to = quoteclock::Compressed::new(&mut bytes, "2024-03-01.csv.zst".as_ref())?;
    /// to.write_all(b"events")?;
    /// to.finish()?;
    /// assert_eq!(bytes[..4], [0x28, 0xb5, 0x2f, 0xfd], "whole only now");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn finish(self) -> std::io::Result<()> {
        let mut to = match self {
            Compressed::Plain(to) => to,
            Compressed::Gzip(encoder) => encoder.finish()?,
            Compressed::Zstd(encoder) => encoder.finish()?,
        };
        to.flush()
    }
}

impl<W: Write> Write for Compressed<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Compressed::Plain(to) => to.write(bytes),
            Compressed::Gzip(to) => to.write(bytes),
            Compressed::Zstd(to) => to.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Compressed::Plain(to) => to.flush(),
            Compressed::Gzip(to) => to.flush(),
            Compressed::Zstd(to) => to.flush(),
        }
    }
}
