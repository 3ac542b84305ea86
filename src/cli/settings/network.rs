//! Network settings: limits, proxies and certificates.

use std::path::PathBuf;
use std::time::Duration;

use super::args::ConnectionArgs;
use super::credentials;
use super::layers::{FoundSetting, Layers, SettingSource};
use super::table::{self, DEFAULT_JOBS, DEFAULT_MAX_FILE_SIZE, DEFAULT_RETRIES, DEFAULT_TIMEOUT};
use crate::cli::error::CliError;
use crate::http::{CertificateAuthorities, ClientCertificate, HttpSettings, Proxies, ProxyServer, is_proxy};

/// How many pages and small files are requested at once for each large file that may be.
const PAGES_PER_JOB: usize = 3;

/// Variables with certificates of other programs, which pip reads before its own setting
/// (`docs/facts/pip.md` 3.9; checked with pip 23.2.1 and 26.3).
pub const CERTIFICATE_VARIABLES: [&str; 2] = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];

/// OpenSSL's variables for the platform's certificates, a file and a list of folders; pip reads
/// them if nothing else is set.
pub const OPENSSL_VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Variables with proxies, for `https:`, for `http:` and for both; the lower-case one takes
/// precedence, as in pip and curl.
pub const PROXY_VARIABLES: [[&str; 2]; 3] =
    [["https_proxy", "HTTPS_PROXY"], ["http_proxy", "HTTP_PROXY"], ["all_proxy", "ALL_PROXY"]];

/// Variables with hosts to ask without a proxy.
pub const NO_PROXY_VARIABLES: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// Returns how requests are made, before the indexes are known.
///
/// `is_offline` says whether the command line asks for a run without a network.
///
/// # Errors
/// When a value is invalid.
pub fn http(args: &ConnectionArgs, is_offline: bool, layers: &Layers<'_>) -> Result<HttpSettings, CliError> {
    let timeout = args.timeout.or(layers.number(&table::TIMEOUT)?);
    let timeout = Duration::try_from_secs_f64(timeout.unwrap_or(DEFAULT_TIMEOUT))
        .map_err(|_| CliError::usage("--timeout must be a number of seconds above zero"))?;
    let jobs = usize::from(args.jobs.or(layers.number(&table::JOBS)?).unwrap_or(DEFAULT_JOBS).max(1));
    Ok(HttpSettings {
        timeout,
        files_per_host: jobs,
        pages_per_host: jobs * PAGES_PER_JOB,
        retries: args.retries.or(layers.number(&table::RETRIES)?).unwrap_or(DEFAULT_RETRIES),
        authorities: authorities(args, layers),
        client_certificate: client_certificate(args, layers),
        proxies: proxies(args, layers)?,
        max_file_size: Some(
            args.max_file_size.or(layers.size(&table::MAX_FILE_SIZE)?).unwrap_or(DEFAULT_MAX_FILE_SIZE),
        ),
        offline: is_offline || layers.switch(&table::OFFLINE)?,
        credentials: credentials::credentials(args, layers)?,
        ..HttpSettings::default()
    })
}

/// Returns how requests are made where the trusted hosts are the typed ones, else those of the
/// settings.
///
/// # Errors
/// When a value is invalid.
pub fn http_to_trusted(
    args: &ConnectionArgs,
    is_offline: bool,
    typed: &[String],
    layers: &Layers<'_>,
) -> Result<HttpSettings, CliError> {
    let mut http = http(args, is_offline, layers)?;
    let trusted = if typed.is_empty() { layers.many(&table::TRUSTED_HOST) } else { typed.to_vec() };
    http.trusted_hosts.extend(trusted);
    Ok(http)
}

/// Returns the proxies: the one of the setting for every host (as in pip), else those of the
/// variables.
fn proxies(args: &ConnectionArgs, layers: &Layers<'_>) -> Result<Proxies, CliError> {
    let typed = args.proxy.clone().map(|value| FoundSetting { value, source: SettingSource::Typed });
    if let Some(found) = typed.or_else(|| layers.find(&table::PROXY)) {
        let proxy = usable(found)?;
        return Ok(Proxies { https: Some(proxy.clone()), http: Some(proxy), except: String::new() });
    }
    let [https, http, all] = PROXY_VARIABLES.map(|names| layers.first_variable(&names).map(usable).transpose());
    let (https, http, all) = (https?, http?, all?);
    let except = layers.first_variable(&NO_PROXY_VARIABLES).map(|found| found.value).unwrap_or_default();
    Ok(Proxies { https: https.or_else(|| all.clone()), http: http.or(all), except })
}

fn usable(proxy: FoundSetting) -> Result<ProxyServer, CliError> {
    if is_proxy(&proxy.value) {
        return Ok(ProxyServer { named_by: proxy.source.to_string(), url: proxy.value });
    }
    let refused = CliError::usage(format!("the proxy ({}) cannot be used", proxy.source));
    Err(refused.hint("write it as http://host:port, https://… or socks5://…"))
}

fn client_certificate(args: &ConnectionArgs, layers: &Layers<'_>) -> Option<ClientCertificate> {
    if let Some(path) = &args.client_cert {
        return Some(ClientCertificate { path: path.clone(), named_by: "--client-cert".to_owned() });
    }
    let found = layers.find(&table::CLIENT_CERT)?;
    Some(ClientCertificate { path: found.value.into(), named_by: found.source.to_string() })
}

fn authorities(args: &ConnectionArgs, layers: &Layers<'_>) -> Option<CertificateAuthorities> {
    if let Some(path) = &args.cert {
        return Some(CertificateAuthorities { paths: vec![path.clone()], named_by: "--cert".to_owned() });
    }
    let found = ambient_certificates(layers);
    let named_by = found.iter().map(|found| found.source.to_string()).collect::<Vec<_>>().join(" and ");
    let paths = found.iter().flat_map(|found| match &found.source {
        SettingSource::Variable(name) if name == OPENSSL_VARIABLES[1] => std::env::split_paths(&found.value).collect(),
        _ => vec![PathBuf::from(&found.value)],
    });
    (!found.is_empty()).then(|| CertificateAuthorities { paths: paths.collect(), named_by })
}

/// Returns the certificates to trust if `--cert` is not given: those of one setting, or both of
/// OpenSSL's.
pub fn ambient_certificates(layers: &Layers<'_>) -> Vec<FoundSetting> {
    let named = layers.first_variable(&["PREFETCH_CERT"]).or_else(|| layers.first_variable(&CERTIFICATE_VARIABLES));
    match named.or_else(|| layers.find(&table::CERT)) {
        Some(found) => vec![found],
        None => OPENSSL_VARIABLES.iter().filter_map(|name| layers.first_variable(&[name])).collect(),
    }
}
