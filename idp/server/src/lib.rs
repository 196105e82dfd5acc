//! Gait's wires: HTTP, storage, themes, mail, jobs. The rules are in `gait-core`.
//!
//! [`App::builder`] is the composition root; a custom build adds its own factors there.

pub mod backup;
pub mod cli;
pub mod config;
#[cfg(feature = "dev")]
pub mod dev;
mod door;
pub mod ephemeral;
pub mod herald;
pub mod http;
pub mod jobs;
pub mod lease;
pub mod log;
pub mod mail;
pub mod master;
pub mod metrics;
pub mod outbound;
pub mod page;
pub mod plugins;
pub mod ports;
mod reload;
pub mod seed;
pub mod sink;
pub mod store;
pub mod theme;

use anyhow::{Context as _, anyhow};
use arc_swap::ArcSwap;
use axum::Router;
use config::{Config, ElasticsearchConfig};
use futures_util::future::join_all;
use gait_core::ephemeral::InProcess;
use gait_core::ports::{Clock, Entropy, Ports};
use gait_core::registry::Registry;
use gait_core::store::Ephemeral;
use gait_core::{Idp, Setup};
use gait_sdk::{Authenticator, Scorer};
use herald::Nodes;
use jobs::Jobs;
use lease::Keeper;
use mail::{MailQueue, Outlet, Sender};
use metrics::{Counted, Metrics, Stream};
use outbound::{Guard, Outbound};
use plugins::Slots;
use sink::callbacks::Callbacks;
use sink::elasticsearch::{self, Shipper};
#[cfg(feature = "otlp")]
use sink::otlp::{self, Traces};
use sink::{Queue, Shipping};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use store::Database;
use theme::Themes;
use tokio::net::TcpListener;

/// Most entries of the in-process ephemeral store; beyond it new sign-ins are told to come back, and nothing is dropped.
const EPHEMERAL_ENTRIES: usize = 500_000;

/// A provider that is ready to serve.
pub struct App {
    /// The provider.
    pub idp: Arc<Idp>,
    /// Its routes' shared state.
    pub http: http::App,
    client_themes: Arc<ArcSwap<seed::ClientThemes>>,
    database: Database,
    bell: jobs::Bell,
    sender: Arc<Sender>,
    retrain_every_s: u32,
    shutdown_grace: Duration,
    metrics_listen: Option<SocketAddr>,
    elasticsearch: Option<ElasticsearchConfig>,
    #[cfg(feature = "otlp")]
    otlp: Option<config::OtlpConfig>,
}

/// Puts a provider together.
pub struct Builder {
    config: Config,
    factors: Vec<Arc<dyn Authenticator>>,
    scorer: Option<Arc<dyn Scorer>>,
    outlet: Option<Outlet>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl App {
    /// Begins with a configuration; the plugins in the tree are there already.
    pub fn builder(config: Config) -> Builder {
        Builder {
            config,
            factors: Vec::new(),
            scorer: None,
            outlet: None,
            clock: Arc::new(ports::SystemClock),
            entropy: Arc::new(ports::SystemEntropy::default()),
        }
    }

    /// Starts all jobs, those of which only one node may run when it is this node's turn.
    pub fn start_jobs(&self, keeper: &Arc<Keeper>) -> Jobs {
        let metrics = &self.http.metrics;
        let callbacks = self.http.callbacks.clone();
        let mut house = jobs::start(&self.idp, &keeper.lease(), metrics, self.retrain_every_s);
        let keeper = keeper.clone();
        let node = keeper.node().to_owned();
        house.spawn(async move { keeper.keep().await });
        house.spawn(herald::heed(self.idp.clone(), self.database.clone()));
        let mut jobs = Jobs::with(house);
        // Each receiver is claimed for itself, so every node delivers: what it has written at once, and what others have soon.
        let (idp, bell, metrics) = (self.idp.clone(), self.bell.clone(), metrics.clone());
        jobs.talk(|closing| callbacks.run(idp, bell, metrics, closing));
        jobs.talk(|closing| self.sender.clone().run(node, closing));
        jobs
    }

    /// Serves, and runs the jobs, until `shutdown` resolves. Then it says that it isn't ready, and after the configured grace takes no more
    /// connections; requests in progress are finished, and so are mails and callbacks that are just being sent; the jobs are left to
    /// another node.
    ///
    /// # Errors
    /// The port for metrics is taken.
    pub async fn serve(
        self,
        listener: TcpListener,
        extra: Router<http::App>,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let metrics = self.http.metrics.clone();
        let keeper = Arc::new(Keeper::new(self.idp.clone()));
        // Before any job begins: if the port is taken, nothing is.
        let metrics_port = match self.metrics_listen {
            Some(address) => Some(metrics::Listener::open(address).await?),
            None => None,
        };
        let mut jobs = self.start_jobs(&keeper);
        if let Some(listener) = metrics_port {
            jobs.house.spawn(listener.serve(metrics.clone()));
            jobs.house.spawn(metrics::watch_stores(self.idp.clone(), metrics.clone()));
        }
        let mut shipping = Vec::new();
        if let Some(config) = &self.elasticsearch {
            let client = elasticsearch::client(config)?;
            let ship = |stream| Shipper::new(client.clone(), config, stream, metrics.clone());
            let events = elasticsearch::Events::new(ship(Stream::Events), config.setup);
            jobs::ship(&mut jobs.house, &self.idp, &keeper.lease(), &metrics, Arc::new(events));
            if config.requests {
                let (log, task) = Queue::start("request logs", ship(Stream::Requests), metrics.shipping.queue());
                // Nobody else sets it: this is the one call that serves.
                let _set = self.http.request_log.set(log);
                shipping.push(task);
            }
        }
        #[cfg(feature = "otlp")]
        if let Some(config) = &self.otlp {
            let ship = otlp::Shipper::new(config, keeper.node(), metrics.clone())?;
            let (traces, task) = Traces::start(config, ship, metrics.traces.queue());
            let _set = self.http.traces.set(traces);
            shipping.push(task);
        }
        let draining = self.http.clone();
        let shutdown = async move {
            shutdown.await;
            // Whoever sends requests here is to see it before the door closes.
            draining.readiness.drain();
            tokio::time::sleep(self.shutdown_grace).await;
        };
        let proxies = self.http.trusted_proxies.clone();
        door::serve(listener, http::router(self.http, extra), proxies, shutdown).await;
        jobs.house.shutdown().await;
        keeper.release().await;
        let shipped = join_all(shipping.into_iter().map(Shipping::finish));
        tokio::join!(jobs.finish(), shipped);
        Ok(())
    }
}

impl Builder {
    /// Adds a factor; one of the same id replaces the tree's.
    #[must_use]
    pub fn factor(mut self, factor: Arc<dyn Authenticator>) -> Self {
        self.factors.push(factor);
        self
    }

    /// Puts a scorer in the place of the tree's.
    #[must_use]
    pub fn scorer(mut self, scorer: Arc<dyn Scorer>) -> Self {
        self.scorer = Some(scorer);
        self
    }

    /// Sends mail elsewhere than the configuration says.
    #[must_use]
    pub fn outlet(mut self, outlet: Outlet) -> Self {
        self.outlet = Some(outlet);
        self
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Opens the store, starts the core, and writes what the configuration declares.
    ///
    /// # Errors
    /// Anything that the configuration names isn't there or doesn't fit; says which.
    pub async fn build(self) -> anyhow::Result<App> {
        let config = self.config;
        let master = master::load(&config)?;
        let database = Database::open(&config).await?;
        let store: Arc<dyn gait_core::store::Store> = Arc::new(database.clone());
        let themes = Arc::new(Themes::load(config.themes_dir.clone(), &config.theme, config.reload_themes)?);
        let metrics = Arc::new(Metrics::default());
        let registry = registry(&config, self.factors, self.scorer, &metrics)?;
        registry.check(&config.policy).with_context(|| config.policy_at.clone())?;
        let outlet = match (self.outlet, &config.smtp) {
            (Some(outlet), _) => outlet,
            (None, Some(smtp)) => Outlet::smtp(smtp)?,
            (None, None) => return Err(anyhow!("[smtp] is missing: the plan and recovery send mail")),
        };
        let client_themes = Arc::new(ArcSwap::from_pointee(seed::client_themes(&config)));
        let themes_of = client_themes.clone();
        let queue = MailQueue::new(
            store.clone(),
            master.clone(),
            self.clock.clone(),
            self.entropy.clone(),
            metrics.clone(),
        );
        let sender = Sender::new(queue.clone(), outlet, themes.clone(), move |mail| {
            themes_of.load().get(mail.client.as_ref()?).cloned()
        });
        let bell = jobs::Bell::default();
        let ports = Ports {
            clock: self.clock,
            entropy: self.entropy,
            mailer: Arc::new(queue),
            wake: Arc::new(bell.clone()),
            herald: Arc::new(Nodes(database.clone())),
            meter: metrics.clone(),
        };
        let ephemeral: Arc<dyn Ephemeral> = match &config.redis {
            Some(redis) => Arc::new(ephemeral::Redis::open(redis).await?),
            None => Arc::new(InProcess::new(ports.clock.clone(), EPHEMERAL_ENTRIES)),
        };
        let ephemeral = Arc::new(Counted::new(ephemeral, metrics.clone()));
        let senders = config
            .senders
            .iter()
            .map(config::SenderConfig::sender)
            .collect::<Result<_, _>>();
        let setup = Setup {
            issuer: config.issuer.clone(),
            policy: config.policy.clone(),
            store,
            ephemeral,
            ports,
            master,
            registry,
            senders: senders.map_err(|why| anyhow!(why))?,
        };
        let idp = Arc::new(Idp::start(setup).await.context("the provider can't start")?);
        seed::declared(&idp, &config).await?;
        let http = http::App::new(http::Shared {
            discovery: idp.metadata().to_string().into(),
            idp: idp.clone(),
            themes,
            trusted_proxies: config.trusted_proxies.into(),
            metrics,
            callbacks: Callbacks::new(Outbound::new(Guard {
                allow_private: config.allow_private_receivers,
                allowed: config.allowed_receivers,
            })),
            request_log: OnceLock::new(),
            traces: OnceLock::new(),
            readiness: http::Readiness::default(),
        });
        Ok(App {
            idp,
            http,
            client_themes,
            database,
            bell,
            sender: Arc::new(sender),
            retrain_every_s: config.retrain_every_s,
            shutdown_grace: Duration::from_secs(config.shutdown_grace_s.into()),
            metrics_listen: config.metrics.map(|metrics| metrics.listen),
            elasticsearch: config.elasticsearch,
            #[cfg(feature = "otlp")]
            otlp: config.otlp,
        })
    }
}

/// The plugins of a configuration, without the rest.
///
/// # Errors
/// A plugin refuses its settings.
fn registry_of(config: &Config) -> anyhow::Result<Registry> {
    registry(config, Vec::new(), None, &Metrics::default())
}

/// The password factor of a deployment.
///
/// # Errors
/// It refuses its settings.
fn password(config: &Config) -> anyhow::Result<gait_password::Password> {
    let issuer = url::Url::parse(&config.issuer)?;
    let plugin = gait_password::Password::new(config.plugins.password.clone())?;
    Ok(plugin.at(issuer.host_str().unwrap_or_default()))
}

/// Every plugin behind its limits; CPU-bound ones share as many slots as there are cores, and the queue before them.
fn registry(
    config: &Config,
    factors: Vec<Arc<dyn Authenticator>>,
    scorer: Option<Arc<dyn Scorer>>,
    metrics: &Metrics,
) -> anyhow::Result<Registry> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let slots = Slots::new(cores, metrics.queue.clone());
    let plugins = &config.plugins;
    let tree: [Arc<dyn Authenticator>; 3] = [
        Arc::new(password(config)?),
        Arc::new(gait_email_otp::EmailOtp::new(plugins.email_otp.clone())?),
        Arc::new(gait_ip_trust::IpTrust::new(plugins.ip_trust.clone())?),
    ];
    let registry = tree.into_iter().chain(factors).fold(Registry::default(), |registry, factor| {
        registry.with(plugins::guard(factor, slots.clone()))
    });
    let scorer = match scorer {
        Some(scorer) => scorer,
        None => Arc::new(gait_behavior::Behavior::new(config.plugins.behavior.clone())?),
    };
    // Learning must never take the slots that sign-ins wait for.
    Ok(registry.with_scorer(plugins::guard_scorer(scorer, Slots::new(1, metrics::Queue::default()))))
}
