//! `GET /metrics` (design A10): what a monitor wants to know, in the text of OpenMetrics and by the names that Prometheus asks
//! for. Labels are fixed words of our own: routes, codes, names of counters, states. Nothing that a person chose is among
//! them, no room, no member, no address, so neither their number nor what they say has to be bounded or hidden.
//!
//! What the server itself counts grows here; what there is of rooms and links is read when somebody asks.

use std::fmt;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use parlor::{ErrorCode, Figures};
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::openapi::refuses;
use crate::server::App;

/// What the text is.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels<const N: usize> = [(&'static str, String); N];

/// What the server counts.
#[derive(Clone, Default)]
pub(crate) struct Metrics {
    requests: Family<Labels<3>, Counter>,
    refusals: Family<Labels<1>, Counter>,
    connections: Gauge,
}

impl Metrics {
    /// Of connections that are open.
    pub(crate) fn connections(&self) -> Gauge {
        self.connections.clone()
    }

    fn answered(&self, method: &str, path: Option<&str>, response: &Response) {
        // A method is text from outside.
        let method = ["GET", "POST", "DELETE"].into_iter().find(|known| *known == method).unwrap_or("other");
        let path = path.unwrap_or("other");
        let status = response.status().as_u16().to_string();
        let labels = [("method", method.to_owned()), ("path", path.to_owned()), ("status", status)];
        self.requests.get_or_create(&labels).inc();
        if let Some(code) = response.extensions().get::<ErrorCode>() {
            self.refusals.get_or_create(&[("code", code.as_str())]).inc();
        }
    }

    fn registry(&self, figures: &Figures, (shares, guests): (usize, usize)) -> Registry {
        let mut registry = Registry::with_prefix("parlor");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", build);
        registry.register("http_requests", "Requests that were answered", self.requests.clone());
        registry.register("http_refusals", "Requests that were refused, by code", self.refusals.clone());
        registry.register("http_connections", "Connections that are open", self.connections.clone());

        let mut gauge = |name: &str, help: &str, value: usize| registry.register(name, help, set(value));
        gauge("rooms", "Rooms that are open in this process", figures.rooms);
        gauge("own_members", "Members of this process, in all rooms", figures.own_members);
        gauge("watching", "Sessions that look on, in all rooms", figures.watching);
        gauge("links", "Peers that this one is connected to", figures.links);
        gauge("shares", "Rooms that are shared to browsers", shares);
        gauge("guests", "Browsers that are in them", guests);
        let members = Family::<Labels<1>, Gauge>::default();
        for (state, count) in [("active", figures.active), ("stale", figures.stale)] {
            members.get_or_create(&[("state", state.to_owned())]).set(whole(count));
        }
        registry.register("members", "Members in all rooms", members);
        let counters = Family::<Labels<1>, Counter>::default();
        for (name, count) in &figures.counters {
            counters.get_or_create(&[("name", name.clone())]).inc_by(*count);
        }
        registry.register("events", "What was sent, refused, repaired and lost, by name", counters);
        registry
    }

    fn text(&self, figures: &Figures, shared: (usize, usize)) -> Result<String, fmt::Error> {
        let mut own = String::new();
        encode_registry(&mut own, &self.registry(figures, shared))?;
        let mut text = in_order(&own);
        text += &figures.traffic;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

/// The samples of each metric in the order of their labels, so that two answers can be laid side by side; a family hands
/// them out in any.
fn in_order(text: &str) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    lines.chunk_by_mut(|one, next| one.starts_with('#') == next.starts_with('#')).for_each(|part| {
        if !part[0].starts_with('#') {
            part.sort_unstable();
        }
    });
    lines.concat()
}

fn set(value: usize) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(whole(value));
    gauge
}

fn whole(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Counts every request that is answered.
pub(crate) async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = path.as_ref().map(MatchedPath::as_str);
    tracing::debug!(kind = %method, route, status = response.status().as_u16(), "a call was answered");
    app.metrics.answered(method.as_str(), route, &response);
    response
}

/// What a monitor wants to know
///
/// Gauges of rooms, members, links and connections; counters of requests, of refusals by code, of what was sent, refused,
/// repaired and lost in the network by name, and of bytes. In the text of OpenMetrics, which Prometheus reads. No label
/// says anything of a person, a room or an address.
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "peer",
    responses(
        (status = 200, description = "The metrics.", body = String, content_type = "application/openmetrics-text"),
        refuses::OpenApi,
    ),
)]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let (figures, shared) = (app.live.figures().await, app.shares.figures().await);
    ([(CONTENT_TYPE, OPEN_METRICS)], app.metrics.text(&figures, shared).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As often as makes luck unlikely: a family's own order is another each time.
    #[test]
    fn samples_stand_in_the_order_of_their_labels() {
        for _ in 0..10 {
            let metrics = Metrics::default();
            for code in ["NOT_JOINED", "FORBIDDEN", "INVALID_LIMIT", "UNAUTHORIZED"] {
                metrics.refusals.get_or_create(&[("code", code.to_owned())]).inc();
            }
            let text = metrics.text(&Figures::default(), (0, 0)).expect("a text");
            let refusals: Vec<&str> = text.lines().filter(|line| line.starts_with("parlor_http_refusals")).collect();
            assert_eq!(refusals.len(), 4, "{text}");
            assert!(refusals.is_sorted(), "{refusals:?}");
        }
    }
}
